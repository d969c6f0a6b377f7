-- Which series came from their own provider, which from a mirror or the archive, and why?
select
    indicator_id,
    provider_requested,
    provider_used,
    outcome,
    latest_year,
    measured_year,
    stale_reason
from source_health
order by indicator_id
limit 15;
