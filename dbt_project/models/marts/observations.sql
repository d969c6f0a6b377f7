-- Per indicator the newest vintage known at the end of the as-of day. Should it hold two figures of one year, the one
-- received last counts, then the one whose provider comes first in the alphabet.
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
qualify
    row_number() over (
        partition by iso3, indicator_id, year
        order by retrieved_at desc, provider asc, provider_code asc, value asc
    ) = 1
order by indicator_id, iso3, year
