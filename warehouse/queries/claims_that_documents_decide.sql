-- Which claims of the mid-term review do documents decide, and with which documents?
select
    claim_documents.claim_id,
    claims_audit.documentary_verdict,
    claims_audit.documentary_reason_code,
    claim_documents.document_date,
    claim_documents.source_kind,
    claim_documents.what_it_says,
    claim_documents.source_url
from claim_documents
inner join claims_audit
    on claim_documents.claim_id = claims_audit.claim_id
where claim_documents.role = 'weighed' and claims_audit.documentary_verdict not in ('context', 'open')
order by claim_documents.claim_id, claim_documents.known_from, claim_documents.source_url;
