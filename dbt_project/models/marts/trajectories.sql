-- The path of every member and indicator from its baseline to the target year, a straight line on the indicator's own
-- scale h, with the observations and the projection of each year. An indicator without a baseline has no path.
with cells as (
    select
        scores.framework_id,
        scores.iso3,
        scores.indicator_id,
        scores.as_of_year,
        scores.baseline_year,
        scores.baseline_value as x0,
        scores.measured_year,
        scores.undecided_jump_year,
        scores.target_year,
        scores.kept_trend,
        coalesce(benchmarks.met_value, benchmarks.target_value) as met_value,
        benchmarks.floor_value,
        benchmarks.target_value,
        benchmarks.transform,
        indicators.shape,
        indicators.valid_max,
        {{ limits('indicators', 'benchmarks', 'parameters') }},
        -- without a projection there is nothing to move
        case when scores.projection is not null then scores.latest_value end as x,
        parameters.logit_share_limit
    from {{ ref('indicator_scores') }} as scores
    cross join {{ ref('int_parameters') }} as parameters
    inner join {{ ref('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    where scores.baseline_year < scores.target_year
),

on_scale as (
    select
        *,
        -- the logit of 100 % is infinite: the way to it ends where it counts as met
        case when shape = 'saturating' then met_value else target_value end as goal,
        {% for point in ['x', 'x0', 'goal'] %}
        {{ logit(point, 'valid_max', 'logit_share_limit') }} as logit_{{ point }},
        case
            when shape = 'saturating' then logit_{{ point }}
            else {{ to_g(judged(point, 'shape'), 'transform') }}
        end as h_{{ point }},
        {% endfor %}
        {{ to_g('floor_value', 'transform') }} as g_floor,
        {{ to_g('target_value', 'transform') }} as g_target,
        {{ meets(judged('x0', 'shape'), 'met_value', 'floor_value', 'target_value') }} as was_met
    from cells
),

years as (
    select
        *,
        unnest(range(baseline_year, target_year + 1))::integer as year
    from on_scale
    where isfinite({{ to_g(judged('x0', 'shape'), 'transform') }})
),

-- A baseline that had met the target has nothing left to gain: its path holds what counts as met.
paths as (
    select
        *,
        year - measured_year as horizon,
        {{ safe_divide('(year - baseline_year)', '(target_year - baseline_year)') }} * (h_goal - h_x0) as h_change
    from years
),

placed as (
    select
        *,
        case
            when not was_met and year = baseline_year then x0
            when not was_met and year = target_year then goal
            when not was_met then {{ moved('x0', 'h_change') }}
            when shape = 'parity' and x0 > 1 then 1 / met_value
            else met_value
        end as path_value,
        case when horizon > 0 then {{ projected('(kept_trend * horizon)') }} end as projection
    from paths
),

ranged as (
    select
        placed.*,
        calibrations.error_low,
        calibrations.error_high,
        {{ to_g(judged('path_value', 'shape'), 'transform') }} as g_path
    from placed
    left join {{ ref('projection_calibration') }} as calibrations
        using (framework_id, indicator_id, horizon)
),

ends as (
    select
        *,
        {{ projected('(kept_trend * horizon + least(error_low, 0))') }} as at_low,
        {{ projected('(kept_trend * horizon + greatest(error_high, 0))') }} as at_high
    from ranged
)

select
    ends.framework_id,
    ends.iso3,
    ends.indicator_id,
    ends.year,
    ends.path_value,
    points.value as observed_value,
    {{ finite(safe_divide('(100 * (points.g - ends.g_path))', '(ends.g_target - ends.g_floor)')) }}
        as distance_to_path,
    ends.projection,
    case when ends.error_low is not null then least(ends.at_low, ends.at_high) end as projection_low,
    case when ends.error_low is not null then greatest(ends.at_low, ends.at_high) end as projection_high,
    max(case when ends.year = least(ends.as_of_year, ends.target_year) then ends.path_value end)
        over (partition by ends.framework_id, ends.iso3, ends.indicator_id)
        as expected_this_year,
    ends.undecided_jump_year
from ends
left join {{ ref('int_points') }} as points
    on
        ends.framework_id = points.framework_id
        and ends.indicator_id = points.indicator_id
        and ends.iso3 = points.iso3
        and ends.year = points.year
        and points.year = points.measured_year
        and ends.as_of_year >= points.year
order by ends.framework_id, ends.iso3, ends.indicator_id, ends.year
