-- How much of the trend a projection keeps, by indicator: all, half or nothing, whichever had the smallest mean
-- absolute error in the earlier half of the backtest. An indicator with too few windows follows all indicators of its
-- shape.
{% set methods = {'last_value': 0, 'half_trend': 0.5, 'trend': 1} %}

with scored as (
    select
        bands.framework_id,
        bands.indicator_id,
        case when bands.transform = 'none' then indicators.shape else bands.transform end as scale_kind,
        -- makes errors of one shape comparable: logits and logarithms are, units in the distance of the goalposts
        case
            when bands.transform <> 'none' then 1
            else nullif(abs(benchmarks.target_value - benchmarks.floor_value), 0)
        end as scale_unit
    from {{ ref('noise_bands') }} as bands
    inner join {{ ref('indicators') }} as indicators
        on bands.indicator_id = indicators.indicator_id
    inner join {{ ref('benchmarks') }} as benchmarks
        on bands.framework_id = benchmarks.framework_id and bands.indicator_id = benchmarks.indicator_id
),

errors as (
    select
        scored.framework_id,
        scored.indicator_id,
        scored.scale_kind,
        {%- for method, kept in methods.items() %}
        abs(backtest.change - {{ kept }} * backtest.trend_change) / scored.scale_unit as {{ method }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from scored
    inner join {{ ref('int_backtest') }} as backtest
        on scored.framework_id = backtest.framework_id and scored.indicator_id = backtest.indicator_id
    where backtest.is_earlier
),

{% for name, of in [('own', 'indicator_id'), ('of_shape', 'scale_kind')] %}
{{ name }} as (
    select
        framework_id,
        {{ of }},
        count(*) as windows,
        {%- for method in methods %}
        {{ exact_mean(method) }} as {{ method }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from errors
    group by framework_id, {{ of }}
),

{% endfor -%}
compared as (
    select
        scored.*,
        case
            when own.windows >= parameters.calibration_min_windows then 'own'
            when of_shape.windows >= parameters.calibration_min_windows then 'shape'
            else 'default'
        end as method_basis,
        {%- for method in methods %}
        case when own.windows >= parameters.calibration_min_windows then own.{{ method }} else of_shape.{{ method }} end
            as {{ method }},
        {%- endfor %}
        parameters.default_trend_kept
    from scored
    cross join {{ ref('int_parameters') }} as parameters
    left join own
        on scored.framework_id = own.framework_id and scored.indicator_id = own.indicator_id
    left join of_shape
        on scored.framework_id = of_shape.framework_id and scored.scale_kind = of_shape.scale_kind
)

select
    framework_id,
    indicator_id,
    scale_kind,
    scale_unit,
    method_basis,
    case
        when method_basis = 'default' then default_trend_kept
        when last_value <= least(half_trend, trend) then 0
        when half_trend <= trend then 0.5
        else 1
    end::double as trend_kept
from compared
