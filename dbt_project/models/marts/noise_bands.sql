-- The smallest change per year that is not noise, from the residuals of all economies' windows: 1.645 standard errors
-- of a slope. The median window sets the residual error, because a few economies with a changed method would otherwise
-- set it for all; the divisor makes the median of a chi-square variable unbiased (Wilson and Hilferty 1931).
with residuals as (
    select
        framework_id,
        indicator_id,
        count(*) as windows,
        sqrt(median(residual_squares / ((points - 2) * (1 - 2.0 / (9 * (points - 2))) ** 3))) as error
    from {{ ref('int_trend_windows') }}
    where residual_squares is not null
    group by framework_id, indicator_id
)

select
    framework_indicators.framework_id,
    framework_indicators.indicator_id,
    case when indicators.shape = 'saturating' then 'logit' else benchmarks.transform end as transform,
    coalesce(residuals.windows, 0)::integer as windows,
    residuals.error as residual_error,
    sampling_errors.error as sampling_error,
    greatest(residuals.error, sampling_errors.error) as error,
    -- over the years of a full window: one measurement a year
    parameters.noise_z * greatest(residuals.error, sampling_errors.error) / sqrt(
        parameters.backtest_window_years * (parameters.backtest_window_years + 1)
        * (parameters.backtest_window_years + 2) / 12
    ) as min_change_per_year
from {{ ref('framework_indicators') }} as framework_indicators
inner join {{ ref('indicators') }} as indicators
    on framework_indicators.indicator_id = indicators.indicator_id and not coalesce(indicators.edition_index, false)
inner join {{ ref('benchmarks') }} as benchmarks
    on
        framework_indicators.framework_id = benchmarks.framework_id
        and framework_indicators.indicator_id = benchmarks.indicator_id
        and benchmarks.baseline_year is not null
cross join {{ ref('int_parameters') }} as parameters
left join residuals
    on
        framework_indicators.framework_id = residuals.framework_id
        and framework_indicators.indicator_id = residuals.indicator_id
left join {{ ref('sampling_errors') }} as sampling_errors
    on framework_indicators.indicator_id = sampling_errors.indicator_id
