-- The 99 percentiles of the errors of past projections, on the own scale h, by indicator and horizon: of the earlier
-- half of the windows (which the later half tests) and of all windows (which the projections use). A horizon with too
-- few windows has the errors of the next longer one, or those of the shape, scaled to the indicator's own errors at its
-- longest horizon.
with errors as (
    select
        backtest.framework_id,
        backtest.indicator_id,
        methods.scale_kind,
        unnest(case when backtest.is_earlier then ['earlier', 'all'] else ['all'] end) as calibration,
        backtest.horizon,
        backtest.change - methods.trend_kept * backtest.trend_change as error,
        error / methods.scale_unit as scaled_error
    from {{ ref('int_backtest') }} as backtest
    inner join {{ ref('int_projection_methods') }} as methods
        on backtest.framework_id = methods.framework_id and backtest.indicator_id = methods.indicator_id
),

{% for name, of, error in [('own', 'indicator_id', 'error'), ('of_shape', 'scale_kind', 'scaled_error')] %}
{{ name }} as (
    select
        framework_id,
        {{ of }},
        calibration,
        horizon,
        count(*) as windows,
        median(abs({{ error }})) as size,
        quantile_cont({{ error }}, [i / 100 for i in range(1, 100)]) as percentiles
    from errors
    group by framework_id, {{ of }}, calibration, horizon
    having count(*) >= (select calibration_min_windows from {{ ref('int_parameters') }})
),

{% endfor -%}
wanted as (
    select
        methods.framework_id,
        methods.indicator_id,
        methods.scale_kind,
        methods.scale_unit,
        unnest(['earlier', 'all']) as calibration,
        horizons.horizon
    from {{ ref('int_projection_methods') }} as methods
    cross join {{ ref('int_parameters') }} as parameters
    cross join range(1, (parameters.backtest_horizon_years + 1)::integer) as horizons (horizon)
),

found as (
    select
        wanted.framework_id,
        wanted.indicator_id,
        wanted.calibration,
        wanted.horizon,
        case
            when own.horizon = wanted.horizon then 'own'
            when own.horizon is not null then 'longer_horizon'
            when shorter.horizon is not null and of_shape.horizon is not null then 'scaled_shape'
            when of_shape.horizon is not null then 'shape'
        end as basis,
        case when own.horizon is not null then own.windows else of_shape.windows end as windows,
        case
            when own.horizon is not null then own.percentiles
            when shorter.horizon is not null
                then list_transform(of_shape.percentiles, lambda p: p * shorter.size / nullif(shape_there.size, 0))
            else list_transform(of_shape.percentiles, lambda p: p * wanted.scale_unit)
        end as percentiles
    from wanted
    asof left join own
        on
            wanted.framework_id = own.framework_id
            and wanted.indicator_id = own.indicator_id
            and wanted.calibration = own.calibration
            and wanted.horizon <= own.horizon
    asof left join own as shorter
        on
            wanted.framework_id = shorter.framework_id
            and wanted.indicator_id = shorter.indicator_id
            and wanted.calibration = shorter.calibration
            and wanted.horizon > shorter.horizon
    left join of_shape
        on
            wanted.framework_id = of_shape.framework_id
            and wanted.scale_kind = of_shape.scale_kind
            and wanted.calibration = of_shape.calibration
            and wanted.horizon = of_shape.horizon
    left join of_shape as shape_there
        on
            wanted.framework_id = shape_there.framework_id
            and wanted.scale_kind = shape_there.scale_kind
            and wanted.calibration = shape_there.calibration
            and shorter.horizon = shape_there.horizon
)

select *
from found
where basis is not null
