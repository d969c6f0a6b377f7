-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(error_if='> 10', warn_if='> 0', meta={'dagster': {'ref': {'name': 'observations'}}}) }}

with parts as (
    select
        iso3,
        year,
        max(value) filter (where indicator_id = 'egdi_index') as egdi,
        avg(value) filter (where indicator_id != 'egdi_index') as mean_of_parts,
        count(*) filter (where indicator_id != 'egdi_index') as parts
    from {{ ref('observations') }}
    where
        indicator_id in ('egdi_index', 'egdi_osi_index', 'egdi_hci_index', 'egdi_tii_index')
        and year >= 2014
    group by iso3, year
)

select
    iso3,
    year,
    egdi,
    mean_of_parts
from parts
where parts = 3 and abs(egdi - mean_of_parts) > 0.0001
