-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(error_if='> 10', warn_if='> 0', meta={'dagster': {'ref': {'name': 'observations'}}}) }}

with ranked as (
    select
        year,
        value as gii_rank,
        count(*) as economies
    from {{ ref('observations') }}
    where indicator_id = 'gii_rank'
    group by year, value
),

expected as (
    select
        year,
        unnest(range(1, sum(economies)::bigint + 1)) as gii_rank
    from ranked
    group by year
)

select
    year,
    gii_rank,
    coalesce(ranked.economies, 0) as economies
from expected
full outer join ranked using (year, gii_rank)
where coalesce(ranked.economies, 0) != 1
