-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(meta={'dagster': {'ref': {'name': 'benchmarks'}}}) }}

with checked as (
    select
        benchmarks.framework_id,
        benchmarks.indicator_id,
        'target_value is against the direction ' || indicators.direction as fault
    from {{ ref('benchmarks') }} as benchmarks
    inner join {{ ref('indicators') }} as indicators
        on benchmarks.indicator_id = indicators.indicator_id
    where (benchmarks.target_value > benchmarks.floor_value) <> (indicators.direction = 'higher_is_better')
)

-- an error names the rows, and a failure would only count them; an empty list is NULL, which raises no error
select 'see the error' as fault
from checked
having error(string_agg(framework_id || ' ' || indicator_id || ': ' || fault, '; ' order by indicator_id)) is not null
