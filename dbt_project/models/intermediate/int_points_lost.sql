-- The points of the overall score that an economy loses through each indicator: its distance to the target times its
-- effective share. The weight of an indicator without a level is shared out among the others of its sub-theme, as in
-- the score, so that the points of an economy add up to 100 less its overall score. With a geometric mean there are no
-- such shares, and neither are there for a pillar whose score is stated.
with levels as (
    select
        scores.framework_id,
        scores.iso3,
        scores.as_of_year,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.level_score,
        scores.weight
    from {{ ref('int_levels') }} as scores
    inner join {{ ref('int_members') }}
        using (framework_id, iso3, as_of_year)
    where scores.level_score is not null
),

subthemes as (
    select
        scores.framework_id,
        scores.iso3,
        scores.as_of_year,
        scores.pillar_id,
        scores.subtheme_id,
        any_value(subthemes.weight) as weight,
        {{ exact_sum('levels.weight') }} as indicator_weights
    from {{ ref('int_subtheme_scores') }} as scores
    inner join {{ ref('int_subthemes') }} as subthemes
        on
            scores.framework_id = subthemes.framework_id
            and scores.pillar_id = subthemes.pillar_id
            and scores.subtheme_id = subthemes.subtheme_id
    inner join levels
        on
            scores.framework_id = levels.framework_id
            and scores.iso3 = levels.iso3
            and scores.as_of_year = levels.as_of_year
            and scores.pillar_id = levels.pillar_id
            and scores.subtheme_id = levels.subtheme_id
    where scores.score is not null and not subthemes.register_only
    group by all
),

pillars as (
    select
        scores.framework_id,
        scores.iso3,
        scores.as_of_year,
        scores.pillar_id,
        any_value(scores.weight) as weight,
        bool_or(scores.is_filled) as is_filled,
        {{ exact_sum('subthemes.weight') }} as subtheme_weights
    from {{ ref('int_pillar_scores') }} as scores
    inner join {{ ref('int_members') }}
        using (framework_id, iso3, as_of_year)
    left join subthemes
        on
            scores.framework_id = subthemes.framework_id
            and scores.iso3 = subthemes.iso3
            and scores.as_of_year = subthemes.as_of_year
            and scores.pillar_id = subthemes.pillar_id
    where scores.in_overall and scores.score is not null
    group by all
),

overall as (
    select
        scores.framework_id,
        scores.iso3,
        scores.as_of_year,
        {{ exact_sum('pillars.weight') }} as pillar_weights
    from {{ ref('int_overall_scores') }} as scores
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
    inner join pillars
        on
            scores.framework_id = pillars.framework_id
            and scores.iso3 = pillars.iso3
            and scores.as_of_year = pillars.as_of_year
    where
        scores.score is not null
        and frameworks.aggregation = 'arithmetic'
        and frameworks.pillar_aggregation = 'arithmetic'
        and frameworks.subtheme_aggregation = 'arithmetic'
    group by all
)

select
    levels.framework_id,
    levels.iso3,
    levels.as_of_year,
    levels.indicator_id,
    {{ finite(
        '((100 - levels.level_score) * (levels.weight / subthemes.indicator_weights)'
        ~ ' * (subthemes.weight / pillars.subtheme_weights) * (pillars.weight / overall.pillar_weights))'
    ) }} as points_lost
from levels
inner join subthemes
    using (framework_id, iso3, as_of_year, pillar_id, subtheme_id)
inner join pillars
    using (framework_id, iso3, as_of_year, pillar_id)
inner join overall
    using (framework_id, iso3, as_of_year)
where not pillars.is_filled
