-- One row per claim and document, with its part in the documentary verdict.
select
    claim_id,
    filed_under,
    role,
    bearing,
    confidence,
    document_date,
    known_from,
    what_it_says,
    source_url,
    site,
    source_kind,
    decides,
    second_source,
    second_source_bearing,
    second_source_note,
    retrieved_on
from {{ ref('int_claim_documents') }}
order by
    claim_id asc, list_position({{ var('document_roles') }}, role) asc, known_from asc, source_url asc
