select
    indicator_id,
    provider_requested,
    provider_used,
    outcome,
    latest_year::integer as latest_year,
    retrieved_at,
    stale_reason,
    attempts
from {{ source('landing', 'source_health') }}
order by indicator_id
