-- An edition that is newer than that of the goalposts is not scored until a person updates the seed: warn until then.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'benchmarks'}}}) }}

select
    benchmarks.framework_id,
    benchmarks.indicator_id,
    benchmarks.baseline_year as edition_of_goalposts,
    max(observations.year) as newest_edition
from {{ ref('benchmarks') }} as benchmarks
inner join {{ ref('indicators') }} as indicators
    on benchmarks.indicator_id = indicators.indicator_id
inner join {{ ref('observations') }} as observations
    on benchmarks.indicator_id = observations.indicator_id
where indicators.edition_index
group by all
having max(observations.year) > benchmarks.baseline_year
