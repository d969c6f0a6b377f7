-- Indicators -> sub-themes, for every economy. Coverage is the share of the weight that has a level; a framework may
-- need more of it for a score than a single level.
with levels as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        frameworks.subtheme_aggregation as aggregation,
        frameworks.subtheme_gate,
        {{ to_mean('scores.level_score', 'frameworks.subtheme_aggregation', 'frameworks.geometric_floor') }} as part
    from {{ ref('int_levels') }} as scores
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
),

means as (
    select
        framework_id,
        as_of_year,
        iso3,
        pillar_id,
        subtheme_id,
        aggregation,
        subtheme_gate,
        {{ weighted_mean('part', 'weight') }} as mean,
        {{ weighted_mean('(part is not null)::integer', 'weight') }} as coverage,
        count(part)::integer as indicators_scored,
        count(*)::integer as indicators_total
    from levels
    group by all
)

select
    means.* exclude (aggregation, subtheme_gate, mean),
    case
        when means.coverage >= means.subtheme_gate - parameters.coverage_tolerance
            then {{ from_mean('means.mean', 'means.aggregation') }}
    end as score
from means
cross join {{ ref('int_parameters') }} as parameters
