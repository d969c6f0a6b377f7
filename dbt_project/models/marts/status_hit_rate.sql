-- What became of each status: the rule of the scorecard applied to the backtest's windows, and the share that had met
-- the pace target, and the target, some years later.
with goals as (
    select
        benchmarks.framework_id,
        benchmarks.indicator_id,
        benchmarks.target_value,
        benchmarks.floor_value,
        benchmarks.transform,
        indicators.valid_max,
        {{ pace_met_value('benchmarks') }} as pace_met_value
    from {{ ref('benchmarks') }} as benchmarks
    inner join {{ ref('indicators') }} as indicators
        on benchmarks.indicator_id = indicators.indicator_id
),

judged as (
    select
        windows.*,
        {{ beyond_noise('windows.trend', 'bands.error', 'windows.spread', 'parameters.noise_z') }} as beyond,
        methods.trend_kept * beyond as kept_trend,
        case
            when bands.transform = 'logit'
                then {{ logit('goals.pace_met_value', 'goals.valid_max', 'parameters.logit_share_limit') }}
            else {{ to_g('goals.pace_met_value', 'goals.transform') }}
        end as h_pace_target,
        goals.target_value > goals.floor_value as is_upwards,
        parameters.status_horizon_years as years,
        outcomes.is_pace_met as later_pace_met,
        outcomes.is_met as later_met
    from {{ ref('int_trend_windows') }} as windows
    cross join {{ ref('int_parameters') }} as parameters
    inner join goals
        on windows.framework_id = goals.framework_id and windows.indicator_id = goals.indicator_id
    inner join {{ ref('noise_bands') }} as bands
        on windows.framework_id = bands.framework_id and windows.indicator_id = bands.indicator_id
    inner join {{ ref('int_projection_methods') }} as methods
        on windows.framework_id = methods.framework_id and windows.indicator_id = methods.indicator_id
    inner join {{ ref('int_trend_points') }} as outcomes
        on
            windows.framework_id = outcomes.framework_id
            and windows.indicator_id = outcomes.indicator_id
            and windows.iso3 = outcomes.iso3
            and windows.segment = outcomes.segment
            and windows.year + parameters.status_horizon_years = outcomes.year
    where windows.points >= parameters.min_trend_points
),

paced as (
    select
        *,
        trend * years / nullif(h_pace_target - h, 0) as pace_ratio,
        case
            when is_upwards then h + kept_trend * years >= h_pace_target
            else h + kept_trend * years <= h_pace_target
        end as is_reached
    from judged
),

thresholds as (
    {{ falling_thresholds() }}
),

verdicts as (
    select
        paced.*,
        case
            {{ status_of_values() }}
            {{ status_of_trend('beyond = 0', 'paced.pace_ratio') }}
        end as verdict
    from paced
    cross join thresholds
)

select
    framework_id,
    coalesce(indicator_id, 'all') as indicator_id,
    verdict.status,
    verdict.reason as status_reason,
    any_value(years)::integer as years,
    count(*)::integer as windows,
    count(distinct iso3)::integer as economies,
    count(*) filter (where later_pace_met)::integer as reached,
    reached / windows as share_reached,
    count(*) filter (where later_met) / count(*) as share_target_reached
from verdicts
group by
    grouping sets (
        (framework_id, indicator_id, verdict.status, verdict.reason),
        (framework_id, verdict.status, verdict.reason)
    )
order by framework_id, indicator_id, verdict.status, verdict.reason
