-- The change of every score from one year to the next on the indicators that both years have, and the sum of these
-- changes. A link is missing where the years do not compare; the chain begins again after it.
with scores as (
    select
        framework_id,
        iso3,
        as_of_year,
        pillar_id,
        score
    from {{ ref('pillar_history') }}
    union all by name
    select
        framework_id,
        iso3,
        as_of_year,
        'overall' as pillar_id,
        overall_score as score
    from {{ ref('scorecard_history') }}
),

years as (
    select
        *,
        lag(as_of_year) over history as previous_year,
        lag(score) over history as previous_score
    from scores
    window history as (partition by framework_id, iso3, pillar_id order by as_of_year)
),

links as (
    select
        years.framework_id,
        years.iso3,
        years.pillar_id,
        years.as_of_year,
        years.previous_year,
        years.score,
        matched.score_now - matched.score_before as matched,
        matched.common_weight,
        matched.pillars_compared,
        named.indicators_entered,
        named.indicators_left,
        named.indicators_not_compared,
        named.indicators_jumped,
        case
            when years.previous_year is null then 'first_year'
            when years.score is null or years.previous_score is null then 'no_score'
            when
                coalesce(matched.common_weight, 0) < parameters.min_common_weight - parameters.coverage_tolerance
                or matched.score_now is null
                then 'common_weight_below_minimum'
        end as reason
    from years
    cross join {{ ref('int_parameters') }} as parameters
    left join {{ ref('int_matched_scores') }} as matched using (framework_id, iso3, pillar_id, as_of_year)
    left join {{ ref('int_matched_indicators') }} as named using (framework_id, iso3, pillar_id, as_of_year)
),

chains as (
    select
        *,
        max(case when reason is not null then as_of_year end) over (
            partition by framework_id, iso3, pillar_id order by as_of_year
        ) as chain_start
    from links
),

summed as (
    select
        *,
        sum(case when reason is null then matched else 0 end) over (
            partition by framework_id, iso3, pillar_id, chain_start order by as_of_year
        ) as chained_index
    from chains
),

-- the distance of the published score from the chain in its last year that has a score
shifted as (
    select
        *,
        arg_max(score - chained_index, as_of_year) over (
            partition by framework_id, iso3, pillar_id, chain_start
        ) as last_shift
    from summed
)

select
    framework_id,
    iso3,
    pillar_id,
    as_of_year as year,
    previous_year,
    case when reason is null then matched end as change,
    common_weight,
    pillars_compared,
    indicators_entered,
    indicators_left,
    indicators_not_compared,
    indicators_jumped,
    reason,
    case when score is not null then chain_start end as chain_start,
    case when score is not null then chained_index end as chained_index,
    case when score is not null then chained_index + last_shift end as chained_score
from shifted
order by framework_id, iso3, pillar_id, as_of_year
