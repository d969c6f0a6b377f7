-- One row per base year of a direction: the figure of the tested year and that of the base year.
select
    claim_id,
    indicator_id,
    iso3,
    evidence_year as year,
    value,
    base_year,
    base_value,
    unit,
    improvement,
    improvement > 0 as is_better
from {{ ref('int_claim_reasons') }}
where kind = 'direction' and result in ('direction_supported', 'direction_contradicted')
order by claim_id, indicator_id, iso3, base_year
