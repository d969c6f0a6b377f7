select
    provider,
    indicator_id,
    reason,
    raw_record,
    raw_sha256,
    retrieved_at
from {{ source('landing', 'rejects') }}
order by indicator_id, provider, retrieved_at, raw_record
