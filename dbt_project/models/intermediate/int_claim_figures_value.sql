-- Kind `value`: the figure that the source gives.
select
    claim_id,
    indicator_id,
    'national' as variant,
    iso3,
    year,
    value as figure,
    provider,
    vintage_at,
    source_url
from {{ ref('int_claim_series') }}
where kind = 'value'
