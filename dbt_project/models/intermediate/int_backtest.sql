-- What followed each window whose target was not yet met: the change on the own scale h up to each later measurement,
-- and the change that the trend gives. The earlier half of the windows of an indicator and horizon calibrates, the
-- later half tests.
select
    windows.framework_id,
    windows.indicator_id,
    windows.iso3,
    windows.year,
    outcomes.year - windows.year as horizon,
    outcomes.h - windows.h as change,
    {{ beyond_noise('windows.trend', 'bands.error', 'windows.spread', 'parameters.noise_z') }}
    * (outcomes.year - windows.year) as trend_change,
    windows.year <= quantile_disc(windows.year, 0.5) over (
        partition by windows.framework_id, windows.indicator_id, outcomes.year - windows.year
    ) as is_earlier
from {{ ref('int_trend_windows') }} as windows
cross join {{ ref('int_parameters') }} as parameters
inner join {{ ref('int_trend_points') }} as outcomes
    on
        windows.framework_id = outcomes.framework_id
        and windows.indicator_id = outcomes.indicator_id
        and windows.iso3 = outcomes.iso3
        and windows.segment = outcomes.segment
        and windows.year < outcomes.year
        and outcomes.year - windows.year <= parameters.backtest_horizon_years
left join {{ ref('noise_bands') }} as bands
    on windows.framework_id = bands.framework_id and windows.indicator_id = bands.indicator_id
where windows.points >= parameters.min_trend_points and not windows.is_met
