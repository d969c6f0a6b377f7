-- The observations of the economies that a framework scores, on the indicator's scale g. NaN and infinity are left out.
-- measured_year is the year of the measurement: earlier than `year` if the source repeats an old figure.
select
    framework_indicators.framework_id,
    observations.indicator_id,
    observations.iso3,
    observations.year,
    observations.value,
    {{ to_g(judged('observations.value', 'indicators.shape'), 'benchmarks.transform') }} as g,
    case
        when indicators.shape = 'saturating'
            then {{ logit('observations.value', 'indicators.valid_max', 'parameters.logit_share_limit') }}
    end as logit,
    coalesce(original.year, observations.year) as measured_year
from {{ ref('framework_indicators') }} as framework_indicators
inner join {{ ref('observations') }} as observations
    on framework_indicators.indicator_id = observations.indicator_id
inner join {{ ref('indicators') }} as indicators
    on framework_indicators.indicator_id = indicators.indicator_id
inner join {{ ref('economies') }} as economies
    on observations.iso3 = economies.iso3 and not economies.is_aggregate
cross join {{ ref('int_parameters') }} as parameters
left join {{ ref('benchmarks') }} as benchmarks
    on
        framework_indicators.framework_id = benchmarks.framework_id
        and framework_indicators.indicator_id = benchmarks.indicator_id
left join {{ ref('carried_forward') }} as carried
    on
        observations.indicator_id = carried.indicator_id
        and observations.iso3 = carried.iso3
        and observations.year > carried.measured_year
left join {{ ref('observations') }} as original
    on
        carried.indicator_id = original.indicator_id
        and carried.iso3 = original.iso3
        and carried.measured_year = original.year
        and observations.value = original.value
where isfinite(observations.value)
