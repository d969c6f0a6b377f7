-- The level of every cell: where its value is between floor and target, from 0 to 100. Scores need nothing else, so
-- they do not wait for the backtest. A level needs a current value, x; x0 is its comparable baseline.
with cells as (
    select
        cells.*,
        framework_indicators.pillar_id,
        framework_indicators.subtheme_id,
        coalesce(framework_indicators.weight, 1) as weight,
        indicators.shape,
        benchmarks.transform,
        benchmarks.floor_value,
        benchmarks.target_value,
        case
            when cells.is_comparable and not cells.is_stale then {{ finite('cells.latest_value') }}
        end as x,
        -- a baseline that has no finite value on the scale g (0 under a logarithm) is left out
        case
            when
                cells.is_comparable
                and not cells.is_stale
                and isfinite({{ to_g('cells.baseline_value', 'benchmarks.transform') }})
                then cells.baseline_value
        end as x0
    from {{ ref('int_cells') }} as cells
    inner join {{ ref('framework_indicators') }} as framework_indicators
        on
            cells.framework_id = framework_indicators.framework_id
            and cells.indicator_id = framework_indicators.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on cells.indicator_id = indicators.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on cells.framework_id = benchmarks.framework_id and cells.indicator_id = benchmarks.indicator_id
),

judged_values as (
    select
        *,
        {{ judged('x', 'shape') }} as y
    from cells
),

on_scale as (
    select
        *,
        {{ to_g('y', 'transform') }} as g_y,
        {{ to_g('floor_value', 'transform') }} as g_floor,
        {{ to_g('target_value', 'transform') }} as g_target
    from judged_values
)

select
    * exclude (shape, transform, floor_value, target_value, y, g_y, g_floor, g_target),
    {{ level_score('g_y', 'g_floor', 'g_target') }} as level_score
from on_scale
