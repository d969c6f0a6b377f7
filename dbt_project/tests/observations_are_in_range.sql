-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(meta={'dagster': {'ref': {'name': 'observations'}}}) }}

select
    observations.indicator_id,
    observations.iso3,
    observations.year,
    observations.value,
    indicators.valid_min,
    indicators.valid_max
from {{ ref('observations') }} as observations
inner join {{ ref('indicators') }} as indicators using (indicator_id)
where observations.value not between indicators.valid_min and indicators.valid_max
