-- Every evidence row with the figures that its series has of the members: one row per evidence row, member and year.
select
    evidence.*,
    figures.iso3,
    figures.year,
    figures.value,
    figures.provider,
    figures.vintage_at,
    figures.source_url
from {{ ref('int_claim_evidence') }} as evidence
inner join {{ ref('int_claim_observations') }} as figures
    on evidence.indicator_id = figures.indicator_id
where figures.is_member
