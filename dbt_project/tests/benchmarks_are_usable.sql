-- A benchmark that cannot carry a score is a fault of the seed, told at build: the row and what is wrong with it.
{{ config(meta={'dagster': {'ref': {'name': 'benchmarks'}}}) }}

with benchmarks as (
    select
        *,
        target_value > floor_value as is_upwards,
        least(floor_value, target_value, met_value, pace_target_value) as smallest
    from {{ ref('benchmarks') }}
),

checked as (
    select
        benchmarks.framework_id,
        benchmarks.indicator_id,
        case
            when benchmarks.floor_value is null then 'floor_value is missing'
            when benchmarks.target_value is null then 'target_value is missing'
            when benchmarks.target_year is null then 'target_year is missing'
            when benchmarks.transform is null then 'transform is missing'
            when
                not (
                    isfinite(benchmarks.floor_value)
                    and isfinite(benchmarks.target_value)
                    and isfinite(coalesce(benchmarks.met_value, 0))
                    and isfinite(coalesce(benchmarks.pace_target_value, 0))
                )
                then 'a value is no finite number'
            when benchmarks.target_value = benchmarks.floor_value then 'target equals floor: no range to score on'
            when benchmarks.transform = 'log' and benchmarks.smallest <= 0 then 'transform log needs positive values'
            when benchmarks.is_upwards <> (indicators.direction = 'higher_is_better')
                then 'floor and target stand against the direction ' || indicators.direction
            when (benchmarks.pace_target_value > benchmarks.floor_value) <> benchmarks.is_upwards
                then 'pace target lies on the wrong side of the floor'
            when benchmarks.baseline_year >= benchmarks.target_year then 'baseline_year is not before target_year'
        end as fault
    from benchmarks
    inner join {{ ref('indicators') }} as indicators
        on benchmarks.indicator_id = indicators.indicator_id
)

-- an error names the rows, a failure would only count them; an empty list is NULL, which raises none
select 'told in the error' as fault
from checked
where fault is not null
having error(string_agg(framework_id || ' ' || indicator_id || ': ' || fault, '; ' order by indicator_id)) is not null
