-- The path of every member and indicator from its baseline to the target year, on the scale g, with the observations
-- and the projection of each year. An indicator without a baseline has no path.
with cells as (
    select
        scores.framework_id,
        scores.iso3,
        scores.indicator_id,
        scores.as_of_year,
        scores.baseline_year,
        scores.baseline_value,
        scores.measured_year,
        scores.undecided_jump_year,
        scores.target_value,
        scores.target_year,
        coalesce(benchmarks.met_value, benchmarks.target_value) as met_value,
        benchmarks.floor_value,
        benchmarks.transform,
        indicators.shape,
        indicators.valid_min,
        indicators.valid_max,
        indicators.natural_limit,
        -- without a projection there is nothing to move
        case when scores.projection is not null then scores.latest_value end as x,
        {% for end in ['', '_low', '_high'] %}
        slopes.slope{{ end }},
        slopes.logit_slope{{ end }},
        {% endfor %}
        {{ judged('scores.baseline_value', 'indicators.shape') }} as y0,
        {{ judged('scores.latest_value', 'indicators.shape') }} as y
    from {{ ref('indicator_scores') }} as scores
    inner join {{ ref('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    left join {{ ref('int_slopes') }} as slopes
        on
            scores.framework_id = slopes.framework_id
            and scores.as_of_year = slopes.as_of_year
            and scores.indicator_id = slopes.indicator_id
            and scores.iso3 = slopes.iso3
    where scores.baseline_year < scores.target_year
),

on_scale as (
    select
        cells.*,
        {{ to_g('cells.y', 'cells.transform') }} as g_x,
        {{ to_g('cells.y0', 'cells.transform') }} as g_x0,
        {{ to_g('cells.floor_value', 'cells.transform') }} as g_floor,
        {{ to_g('cells.target_value', 'cells.transform') }} as g_target,
        {{ to_g('cells.met_value', 'cells.transform') }} as g_met,
        {{ meets('cells.y0', 'cells.met_value', 'cells.floor_value', 'cells.target_value') }} as was_met,
        {{ logit('cells.x', 'cells.valid_max', 'parameters.logit_share_limit') }} as logit_x
    from cells
    cross join {{ ref('int_parameters') }} as parameters
),

years as (
    select
        *,
        unnest(range(baseline_year, target_year + 1))::integer as year
    from on_scale
    where isfinite(g_x0)
),

-- A baseline that had met the target has nothing left to gain: its path holds what counts as met.
paths as (
    select
        *,
        case
            when was_met then g_met
            else g_x0 + (g_target - g_x0) * {{ safe_divide('(year - baseline_year)', '(target_year - baseline_year)') }}
        end as g_path
    from years
),

placed as (
    select
        paths.*,
        case
            when not was_met and year = baseline_year then baseline_value
            when not was_met and year = target_year then target_value
            when shape = 'parity' and baseline_value > 1 then 1 / g_path
            else {{ from_g('g_path', 'transform') }}
        end as path_value,
        {% for end in ['', '_low', '_high'] %}
        case when year > measured_year then {{ projected(end, '(year - measured_year)') }} end as projection{{ end }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from paths
)

select
    placed.framework_id,
    placed.iso3,
    placed.indicator_id,
    placed.year,
    placed.path_value,
    points.value as observed_value,
    {{ finite(safe_divide('(100 * (points.g - placed.g_path))', '(placed.g_target - placed.g_floor)')) }}
        as distance_to_path,
    placed.projection,
    placed.projection_low,
    placed.projection_high,
    max(case when placed.year = least(placed.as_of_year, placed.target_year) then placed.path_value end)
        over (partition by placed.framework_id, placed.iso3, placed.indicator_id)
        as expected_this_year,
    placed.undecided_jump_year
from placed
left join {{ ref('int_points') }} as points
    on
        placed.framework_id = points.framework_id
        and placed.indicator_id = points.indicator_id
        and placed.iso3 = points.iso3
        and placed.year = points.year
        and points.year = points.measured_year
        and placed.as_of_year >= points.year
order by placed.framework_id, placed.iso3, placed.indicator_id, placed.year
