-- The mean of the pillars that count, only if each of them has a score: leaving out a weak pillar would raise the mean.
-- A framework may ask for less than all pillars (overall_gate), and for a share of its indicators (indicators_gate).
with pillars as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.pillar_id,
        scores.weight,
        scores.coverage,
        scores.score,
        scores.is_filled,
        scores.indicators_scored,
        scores.indicators_total,
        frameworks.aggregation,
        frameworks.overall_gate,
        frameworks.indicators_gate,
        {{ to_mean('scores.score', 'frameworks.aggregation', 'frameworks.geometric_floor') }} as part
    from {{ ref('int_pillar_scores') }} as scores
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
    where scores.in_overall
),

means as (
    select
        framework_id,
        as_of_year,
        iso3,
        aggregation,
        overall_gate,
        indicators_gate,
        {{ weighted_mean('part', 'weight') }} as mean,
        {{ weighted_mean('coverage', 'weight') }} as coverage,
        {{ weighted_mean('(score is not null)::integer', 'weight') }} as share_scored,
        sum(indicators_scored) / nullif(sum(indicators_total), 0) as share_of_indicators,
        count_if(is_filled)::integer as pillars_filled
    from pillars
    group by all
),

judged as (
    select
        means.*,
        case
            when means.mean is null or means.share_scored < means.overall_gate - parameters.coverage_tolerance
                then 'pillar_missing'
            when means.share_of_indicators < means.indicators_gate - parameters.coverage_tolerance
                then 'coverage_below_gate'
        end as score_reason
    from means
    cross join {{ ref('int_parameters') }} as parameters
)

select
    framework_id,
    as_of_year,
    iso3,
    case when score_reason is null then {{ from_mean('mean', 'aggregation') }} end as score,
    coverage,
    pillars_filled,
    score_reason
from judged
