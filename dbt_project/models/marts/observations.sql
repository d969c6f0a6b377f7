-- Per indicator the newest vintage known at the end of the as-of day.
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    vintage_at
from {{ ref('int_vintages') }}
where is_newest
order by indicator_id, iso3, year
