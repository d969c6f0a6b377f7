-- measured_year is earlier than latest_year if the source only repeats older figures in its newest years.
with measured as (
    select
        indicator_id,
        max(measured_year)::integer as measured_year
    from {{ ref('int_measured') }}
    group by indicator_id
)

select
    health.indicator_id,
    health.provider_requested,
    health.provider_used,
    health.outcome,
    health.latest_year::integer as latest_year,
    measured.measured_year,
    health.retrieved_at,
    health.stale_reason,
    health.attempts
from {{ source('landing', 'source_health') }} as health
left join measured
    on health.indicator_id = measured.indicator_id
order by health.indicator_id
