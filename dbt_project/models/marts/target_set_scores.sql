-- Members compared with the targets of other named sets; never part of the scorecard. A target of one economy takes
-- precedence over the one for all. The floor is that of the main framework, if it scores the indicator.
with chosen as (
    select
        economies.iso3,
        targets.* exclude (iso3)
    from {{ ref('alternative_targets') }} as targets
    inner join {{ ref('economies') }} as economies
        on economies.is_member and coalesce(targets.iso3, economies.iso3) = economies.iso3
    qualify row_number() over (
        partition by targets.target_set, targets.indicator_id, economies.iso3
        order by targets.iso3 nulls last
    ) = 1
),

latest as (
    select
        chosen.*,
        coalesce(chosen.met_value, chosen.target_value) as met,
        observations.year as latest_year,
        observations.measured_year,
        observations.value as latest_value,
        year(run.as_of) - observations.measured_year > indicators.max_age_years as is_stale,
        indicators.direction = 'higher_is_better' as is_upwards,
        coalesce(benchmarks.transform, 'none') as transform,
        benchmarks.floor_value,
        {{ judged('observations.value', 'indicators.shape') }} as judged_value
    from chosen
    cross join {{ source('landing', 'run') }} as run
    inner join {{ ref('indicators') }} as indicators
        on chosen.indicator_id = indicators.indicator_id
    asof left join {{ ref('int_measured') }} as observations
        on
            chosen.indicator_id = observations.indicator_id
            and chosen.iso3 = observations.iso3
            and year(run.as_of) >= observations.year
    left join {{ ref('benchmarks') }} as benchmarks
        on chosen.indicator_id = benchmarks.indicator_id and benchmarks.framework_id = '{{ var("framework") }}'
),

compared as (
    select
        latest.*,
        case when is_upwards then judged_value >= met else judged_value <= met end as is_met,
        {{ to_g('judged_value', 'transform') }} as g,
        {{ to_g('floor_value', 'transform') }} as g_floor,
        {{ to_g('target_value', 'transform') }} as g_target
    from latest
)

select
    target_set,
    iso3,
    indicator_id,
    latest_year,
    measured_year,
    latest_value,
    target_value,
    target_year,
    latest_value - target_value as difference,
    case when not is_stale then {{ level_score('g', 'g_floor', 'g_target') }} end as level_score,
    case
        when not is_met and not is_stale and target_year > measured_year
            then {{ safe_divide('(g_target - g)', '(target_year - measured_year)') }}
    end as required_annual_change_from_now,
    case
        when latest_year is null then 'no_data'
        when is_stale then 'stale'
        when is_met then 'met'
        when measured_year >= target_year then 'missed'
        else 'not_met'
    end as verdict,
    source_title,
    source_url,
    confidence,
    note
from compared
order by target_set, indicator_id, iso3
