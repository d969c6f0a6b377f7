-- The score of a year and of the year before, from the indicators that compare in both: sub-themes, pillars and
-- overall, in the same steps, weights and means as the scores themselves. The common weight of a pillar is computed
-- as its coverage is, with the indicators that compare in the place of those that have a level. The overall score has
-- the pillars whose common weight reaches the minimum; the common weight of the others counts as 0.
with levels as (
    select
        matched.framework_id,
        matched.iso3,
        matched.as_of_year,
        matched.pillar_id,
        matched.subtheme_id,
        matched.indicator_id,
        matched.weight,
        matched.is_common,
        frameworks.subtheme_aggregation as aggregation,
        {% for year, level in [('now', 'level'), ('before', 'level_before')] %}
        case
            when matched.is_common
                then {{ to_mean('matched.' ~ level, 'frameworks.subtheme_aggregation', 'frameworks.geometric_floor') }}
        end as part_{{ year }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('int_matched_levels') }} as matched
    inner join {{ ref('int_frameworks') }} as frameworks
        on matched.framework_id = frameworks.framework_id
    where not matched.is_first_year
),

subthemes as (
    select
        framework_id,
        iso3,
        as_of_year,
        pillar_id,
        subtheme_id,
        aggregation,
        {{ weighted_mean('part_now', 'weight') }} as mean_now,
        {{ weighted_mean('part_before', 'weight') }} as mean_before,
        {{ weighted_mean('is_common::integer', 'weight') }} as common_weight
    from levels
    group by all
),

subtheme_parts as (
    select
        subthemes.framework_id,
        subthemes.iso3,
        subthemes.as_of_year,
        subthemes.pillar_id,
        subthemes.subtheme_id,
        declared.weight,
        subthemes.common_weight,
        frameworks.pillar_aggregation as aggregation,
        frameworks.geometric_floor,
        {{ from_mean('subthemes.mean_now', 'subthemes.aggregation') }} as score_now,
        {{ from_mean('subthemes.mean_before', 'subthemes.aggregation') }} as score_before
    from subthemes
    inner join {{ ref('int_subthemes') }} as declared
        on
            subthemes.framework_id = declared.framework_id
            and subthemes.pillar_id = declared.pillar_id
            and subthemes.subtheme_id = declared.subtheme_id
    inner join {{ ref('int_frameworks') }} as frameworks
        on subthemes.framework_id = frameworks.framework_id
    where not declared.register_only
),

subtheme_scores as (
    select
        *,
        {{ to_mean('score_now', 'aggregation', 'geometric_floor') }} as part_now,
        {{ to_mean('score_before', 'aggregation', 'geometric_floor') }} as part_before
    from subtheme_parts
),

pillar_means as (
    select
        framework_id,
        iso3,
        as_of_year,
        pillar_id,
        aggregation,
        {{ weighted_mean('part_now', 'weight') }} as mean_now,
        {{ weighted_mean('part_before', 'weight') }} as mean_before,
        {{ weighted_mean('common_weight', 'weight') }} as common_weight
    from subtheme_scores
    group by all
),

pillars as (
    select
        means.framework_id,
        means.iso3,
        means.as_of_year,
        means.pillar_id,
        {{ from_mean('means.mean_now', 'means.aggregation') }} as score_now,
        {{ from_mean('means.mean_before', 'means.aggregation') }} as score_before,
        means.common_weight,
        means.common_weight >= parameters.min_common_weight - parameters.coverage_tolerance as is_matched
    from pillar_means as means
    cross join {{ ref('int_parameters') }} as parameters
),

pillar_parts as (
    select
        pillars.framework_id,
        pillars.iso3,
        pillars.as_of_year,
        pillars.pillar_id,
        declared.weight,
        case when pillars.is_matched then pillars.common_weight else 0 end as common_weight,
        frameworks.aggregation,
        {% for year in ['now', 'before'] %}
        case
            when pillars.is_matched
                then {{ to_mean('pillars.score_' ~ year, 'frameworks.aggregation', 'frameworks.geometric_floor') }}
        end as part_{{ year }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from pillars
    inner join {{ ref('int_pillars') }} as declared
        on pillars.framework_id = declared.framework_id and pillars.pillar_id = declared.pillar_id
    inner join {{ ref('int_frameworks') }} as frameworks
        on pillars.framework_id = frameworks.framework_id
    where declared.in_overall
),

overall_means as (
    select
        framework_id,
        iso3,
        as_of_year,
        aggregation,
        {{ weighted_mean('part_now', 'weight') }} as mean_now,
        {{ weighted_mean('part_before', 'weight') }} as mean_before,
        {{ weighted_mean('common_weight', 'weight') }} as common_weight,
        {{ names('case when part_now is not null then pillar_id end') }} as pillars_compared
    from pillar_parts
    group by all
)

select
    framework_id,
    iso3,
    as_of_year,
    pillar_id,
    score_now,
    score_before,
    common_weight,
    null as pillars_compared
from pillars
union all by name
select
    framework_id,
    iso3,
    as_of_year,
    'overall' as pillar_id,
    {{ from_mean('mean_now', 'aggregation') }} as score_now,
    {{ from_mean('mean_before', 'aggregation') }} as score_before,
    common_weight,
    pillars_compared
from overall_means
