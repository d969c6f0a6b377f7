-- How projections are made and how wide their intervals are, from all windows of the backtest that were known on the
-- as-of day.
select
    methods.framework_id,
    methods.indicator_id,
    horizons.horizon::integer as horizon,
    methods.trend_kept,
    methods.method_basis,
    quantiles.basis as interval_basis,
    quantiles.windows::integer as windows,
    quantiles.percentiles[round(50 * (1 - parameters.interval_coverage))::integer] as error_low,
    quantiles.percentiles[100 - round(50 * (1 - parameters.interval_coverage))::integer] as error_high,
    to_json(quantiles.percentiles)::varchar as error_percentiles,
    run.as_of
from {{ ref('int_projection_methods') }} as methods
cross join {{ ref('int_parameters') }} as parameters
cross join {{ source('landing', 'run') }} as run
cross join range(1, (parameters.backtest_horizon_years + 1)::integer) as horizons (horizon)
left join {{ ref('int_projection_quantiles') }} as quantiles
    on
        methods.framework_id = quantiles.framework_id
        and methods.indicator_id = quantiles.indicator_id
        and horizons.horizon = quantiles.horizon
        and quantiles.calibration = 'all'
order by methods.framework_id, methods.indicator_id, horizons.horizon
