-- In no economy does a status given by the pace contradict its projection: on track if and only if the projection meets
-- the pace target, no movement within the noise, and otherwise the direction that the status says.
{{ config(meta={'dagster': {'ref': {'name': 'int_indicator_scores'}}}) }}

with judged as (
    select
        scores.framework_id,
        scores.iso3,
        scores.indicator_id,
        scores.status,
        scores.status_reason,
        scores.projection,
        benchmarks.target_value > benchmarks.floor_value as is_upwards,
        {{ meets(
            judged('scores.projection', 'indicators.shape'), pace_met_value('benchmarks'),
            'benchmarks.floor_value', 'benchmarks.target_value'
        ) }} as arrives,
        {{ judged('scores.projection', 'indicators.shape') }}
        - {{ judged('scores.latest_value', 'indicators.shape') }} as step
    from {{ ref('int_indicator_scores') }} as scores
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    inner join {{ ref('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    where scores.status_reason in ('pace', 'within_noise') and scores.projection is not null
)

select *
from judged
where
    (status = 'on_track') is distinct from arrives
    or (status_reason = 'within_noise' and abs(step) > 1e-9)
    or (status = 'decreasing' and case when is_upwards then step else -step end > 1e-9)
    or (status_reason = 'pace' and status <> 'decreasing' and case when is_upwards then step else -step end < -1e-9)
