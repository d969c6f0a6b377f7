-- Which claims of the review do public data contradict, and by how much?
select
    claim_id,
    country_iso3,
    value as claimed,
    evidence_value,
    evidence_year,
    evidence_unit,
    deviation,
    nearest_true_year,
    provider
from claims_audit
where verdict = 'contradicted' and duplicate_of is null
order by claim_id;
