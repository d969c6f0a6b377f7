-- The figures of the economies that a framework scores, on the indicator's scale g, with the year of their measurement.
select
    framework_indicators.framework_id,
    figures.indicator_id,
    figures.iso3,
    figures.year,
    figures.value,
    {{ to_g(judged('figures.value', 'indicators.shape'), 'benchmarks.transform') }} as g,
    case
        when indicators.shape = 'saturating'
            then {{ logit('figures.value', 'indicators.valid_max', 'parameters.logit_share_limit') }}
    end as logit,
    figures.measured_year
from {{ ref('framework_indicators') }} as framework_indicators
inner join {{ ref('int_measured') }} as figures
    on framework_indicators.indicator_id = figures.indicator_id
inner join {{ ref('indicators') }} as indicators
    on framework_indicators.indicator_id = indicators.indicator_id
inner join {{ ref('economies') }} as economies
    on figures.iso3 = economies.iso3 and not economies.is_aggregate
cross join {{ ref('int_parameters') }} as parameters
left join {{ ref('benchmarks') }} as benchmarks
    on
        framework_indicators.framework_id = benchmarks.framework_id
        and framework_indicators.indicator_id = benchmarks.indicator_id
