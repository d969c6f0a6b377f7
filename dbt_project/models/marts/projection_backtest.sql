-- How projections and intervals did on windows after those that calibrated them, by indicator and horizon. Errors are
-- on the indicator's own scale.
with tested as (
    select
        backtest.*,
        backtest.change - methods.trend_kept * backtest.trend_change as error,
        quantiles.basis,
        case
            when quantiles.percentiles is not null
                then least(quantiles.percentiles[round(50 * (1 - parameters.interval_coverage))::integer], 0)
        end as low,
        case
            when quantiles.percentiles is not null
                then greatest(quantiles.percentiles[100 - round(50 * (1 - parameters.interval_coverage))::integer], 0)
        end as high
    from {{ ref('int_backtest') }} as backtest
    cross join {{ ref('int_parameters') }} as parameters
    inner join {{ ref('int_projection_methods') }} as methods
        on backtest.framework_id = methods.framework_id and backtest.indicator_id = methods.indicator_id
    left join {{ ref('int_projection_quantiles') }} as quantiles
        on
            backtest.framework_id = quantiles.framework_id
            and backtest.indicator_id = quantiles.indicator_id
            and backtest.horizon = quantiles.horizon
            and quantiles.calibration = 'earlier'
),

by_horizon as (
    select
        framework_id,
        indicator_id,
        horizon,
        count(*) filter (where is_earlier) as calibration_windows,
        any_value(basis) as interval_basis,
        count(low) filter (where not is_earlier) as test_windows,
        count(*) filter (where not is_earlier and error between low and high) as inside,
        count(*) filter (where not is_earlier and error < low) as below,
        count(*) filter (where not is_earlier and error > high) as above,
        {% for part, condition in [('calibration', 'is_earlier'), ('test', 'not is_earlier')] %}
        {% for method, kept in [('last_value', 0), ('half_trend', 0.5), ('trend', 1)] %}
        {{ exact_mean('case when ' ~ condition ~ ' then abs(change - ' ~ kept ~ ' * trend_change) end') }}
            as {{ part }}_error_of_{{ method }},
        {% endfor %}
        {% endfor %}
        max(case when is_earlier then year end) as calibration_until
    from tested
    group by framework_id, indicator_id, horizon
),

counted as (
    select
        *,
        sum(test_windows) over indicator as all_test_windows,
        sum(inside) over indicator as all_inside
    from by_horizon
    window indicator as (partition by framework_id, indicator_id)
)

select
    counted.framework_id,
    counted.indicator_id,
    counted.horizon::integer as horizon,
    counted.calibration_until::integer as calibration_until,
    counted.calibration_windows::integer as calibration_windows,
    counted.test_windows::integer as test_windows,
    case methods.trend_kept when 1 then 'trend' when 0 then 'last_value' else 'part_of_trend' end as projection_method,
    methods.method_basis,
    counted.interval_basis,
    {% for part in ['calibration', 'test'] %}
    {% for method in ['last_value', 'half_trend', 'trend'] %}
    counted.{{ part }}_error_of_{{ method }},
    {% endfor %}
    {% endfor %}
    parameters.interval_coverage as nominal_coverage,
    {{ safe_divide('counted.inside', 'counted.test_windows') }} as reached_coverage,
    {{ safe_divide('counted.below', 'counted.test_windows') }} as share_below,
    {{ safe_divide('counted.above', 'counted.test_windows') }} as share_above,
    case
        when counted.test_windows >= parameters.calibration_min_windows
            then round(abs(counted.inside / counted.test_windows - parameters.interval_coverage), 9) > 0.05
    end as is_missed,
    counted.all_test_windows::integer as indicator_test_windows,
    {{ safe_divide('counted.all_inside', 'counted.all_test_windows') }} as indicator_coverage,
    case
        when counted.all_test_windows >= parameters.calibration_min_windows
            then round(abs(counted.all_inside / counted.all_test_windows - parameters.interval_coverage), 9) > 0.05
    end as is_indicator_missed
from counted
cross join {{ ref('int_parameters') }} as parameters
inner join {{ ref('int_projection_methods') }} as methods
    on counted.framework_id = methods.framework_id and counted.indicator_id = methods.indicator_id
order by counted.framework_id, counted.indicator_id, counted.horizon
