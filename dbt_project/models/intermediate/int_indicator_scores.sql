-- Attainment, pace, projection and status of every cell, beside its level. Changes are in units of g (the indicator's
-- unit, or its natural logarithm) per year. Pace needs a comparable baseline.
with cells as (
    select
        cells.*,
        benchmarks.transform,
        benchmarks.floor_value,
        benchmarks.target_value,
        coalesce(benchmarks.met_value, benchmarks.target_value) as met_value,
        benchmarks.target_year,
        coalesce(benchmarks.pace_target_value, benchmarks.target_value) as pace_target_value,
        -- if pace target and target are equal, met_value applies to both
        {{ pace_met_value('benchmarks') }} as pace_met_value,
        indicators.shape,
        indicators.valid_max,
        {{ limits('indicators', 'benchmarks', 'parameters') }},
        noise_bands.error as noise_error,
        coalesce(calibrations.trend_kept, parameters.default_trend_kept) as trend_kept,
        calibrations.interval_basis,
        calibrations.error_low,
        calibrations.error_high,
        calibrations.error_percentiles::double[] as percentiles
    from {{ ref('int_levels') }} as cells
    inner join {{ ref('indicators') }} as indicators
        on cells.indicator_id = indicators.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on cells.framework_id = benchmarks.framework_id and cells.indicator_id = benchmarks.indicator_id
    cross join {{ ref('int_parameters') }} as parameters
    left join {{ ref('noise_bands') }} as noise_bands
        on cells.framework_id = noise_bands.framework_id and cells.indicator_id = noise_bands.indicator_id
    left join {{ ref('projection_calibration') }} as calibrations
        on
            cells.framework_id = calibrations.framework_id
            and cells.indicator_id = calibrations.indicator_id
            -- beyond the longest horizon there is no interval
            and {{ clip('(benchmarks.target_year - cells.measured_year)', '1', 'parameters.backtest_horizon_years') }}
            = calibrations.horizon
),

judged_values as (
    select
        *,
        {{ judged('x', 'shape') }} as y,
        {{ judged('x0', 'shape') }} as y0
    from cells
),

on_scale as (
    select
        cells.*,
        {{ to_g('cells.y', 'cells.transform') }} as g_x,
        {{ to_g('cells.y0', 'cells.transform') }} as g_x0,
        {{ to_g('cells.target_value', 'cells.transform') }} as g_target,
        {{ to_g('cells.met_value', 'cells.transform') }} as g_met,
        {{ to_g('cells.pace_target_value', 'cells.transform') }} as g_pace_target,
        {{ to_g('cells.pace_met_value', 'cells.transform') }} as g_pace_met,
        {{ meets('cells.y', 'cells.met_value', 'cells.floor_value', 'cells.target_value') }} as is_met,
        {{ meets('cells.y0', 'cells.met_value', 'cells.floor_value', 'cells.target_value') }} as was_met,
        {{ meets('cells.y', 'cells.pace_met_value', 'cells.floor_value', 'cells.target_value') }} as is_pace_met,
        {{ meets('cells.y0', 'cells.pace_met_value', 'cells.floor_value', 'cells.target_value') }} as was_pace_met,
        {% for point in ['x', 'x0', 'met_value', 'pace_met_value'] %}
        {{ logit('cells.' ~ point, 'cells.valid_max', 'parameters.logit_share_limit') }} as logit_{{ point }},
        {% endfor %}
        cells.target_year - cells.measured_year as horizon,
        parameters.* exclude (logit_share_limit)
    from judged_values as cells
    cross join {{ ref('int_parameters') }} as parameters
),

-- A trend needs a baseline and a latest value, both finite on the scale g, and more than two points. The conditions are
-- in the select list, because in the join they would turn a hash join into a loop over all pairs.
sloped as (
    select
        on_scale.*,
        {% for point, g in [('x', 'g_x'), ('x0', 'g_x0'), ('met_value', 'g_met'), ('pace_met_value', 'g_pace_met')] %}
        case when on_scale.shape = 'saturating' then on_scale.logit_{{ point }} else on_scale.{{ g }} end
            as h_{{ point }},
        {% endfor %}
        -- the logit of 100 % is infinite: the way to it ends where it counts as met
        case when on_scale.shape = 'saturating' then on_scale.logit_met_value else on_scale.g_target end as h_goal,
        case when on_scale.x0 is not null and isfinite(on_scale.g_x) then slopes.points end as points,
        case when on_scale.x0 is not null and isfinite(on_scale.g_x) then slopes.slope end as slope,
        case
            when on_scale.x0 is not null and isfinite(on_scale.g_x) and slopes.points >= on_scale.min_trend_points
                then slopes.trend
        end as trend,
        case
            when on_scale.x0 is null or not isfinite(on_scale.g_x) or slopes.slope is null then null
            when slopes.points >= on_scale.min_trend_points then 'theil_sen'
            else 'two_points'
        end as slope_basis,
        slopes.spread
    from on_scale
    left join {{ ref('int_slopes') }} as slopes
        using (framework_id, as_of_year, indicator_id, iso3)
),

paced as (
    select
        *,
        case when not was_met then {{ safe_divide('(h_x - h_x0)', '(h_goal - h_x0)') }} end as attainment,
        case
            when x0 is not null
                then {{ safe_divide('(measured_year - baseline_year)', '(target_year - baseline_year)') }}
        end as due,
        case
            when not was_pace_met
                then {{ safe_divide('(g_pace_target - g_x0)', '(target_year - baseline_year)') }}
        end as required_annual_change,
        case
            when not edition_index and not is_pace_met and horizon > 0
                then {{ safe_divide('(g_pace_target - g_x)', 'horizon') }}
        end as required_annual_change_from_now,
        case
            when not edition_index and not is_pace_met and horizon > 0
                then {{ safe_divide('(h_pace_met_value - h_x)', 'horizon') }}
        end as required_trend,
        -- 0 and not minus zero, whose sign is lost only when a table is compressed
        case
            when trend_kept = 0 and trend is not null then 0
            else trend_kept * {{ beyond_noise('trend', 'noise_error', 'spread', 'noise_z') }}
        end as kept_trend,
        coalesce({{ beyond_noise('trend', 'noise_error', 'spread', 'noise_z') }} = 0, false) as is_noise
    from sloped
),

projected as (
    select
        *,
        {{ safe_divide('trend', 'required_trend') }} as pace_ratio,
        case when horizon >= 0 then {{ projected('(kept_trend * horizon)') }} end as projection,
        case
            when error_low is not null and horizon between 1 and backtest_horizon_years
                then {{ projected('(kept_trend * horizon + least(error_low, 0))') }}
        end as projection_at_low,
        case
            when error_high is not null and horizon between 1 and backtest_horizon_years
                then {{ projected('(kept_trend * horizon + greatest(error_high, 0))') }}
        end as projection_at_high,
        {% for mark in ['met_value', 'pace_met_value'] %}
        case
            when not edition_index and horizon between 1 and backtest_horizon_years and kept_trend is not null
                then {{ probability('(h_' ~ mark ~ ' - h_x - kept_trend * horizon)', 'target_value > floor_value') }}
        end as probability_of_{{ mark }},
        {% endfor %}
        {{ safe_divide('(h_met_value - h_x)', 'kept_trend') }} as years_to_target
    from paced
),

judged as (
    select
        *,
        {{ meets(judged('projection', 'shape'), 'pace_met_value', 'floor_value', 'target_value') }} as is_reached,
        -- in or after the target year nothing more can be required: only the direction counts
        coalesce(pace_ratio, case when sign(trend) = sign(h_pace_met_value - h_x) then 0 else -1 end)
            as pace_for_status
    from projected
),

thresholds as (
    {{ falling_thresholds() }}
),

-- The first condition that holds decides; the order is part of the method.
verdicts as (
    select
        judged.*,
        case
            when not has_data then { 'status': 'insufficient_data', 'reason': 'no_data' }
            when measured_year is null then { 'status': 'insufficient_data', 'reason': 'not_covered' }
            when target_value is null then { 'status': 'insufficient_data', 'reason': 'no_target' }
            when not is_comparable then { 'status': 'insufficient_data', 'reason': 'not_comparable_edition' }
            when is_stale then { 'status': 'insufficient_data', 'reason': 'stale' }
            {{ status_of_values(has_editions='edition_index') }}
            when is_baseline_broken then { 'status': 'insufficient_data', 'reason': 'series_break' }
            when x0 is null then { 'status': 'insufficient_data', 'reason': 'no_baseline' }
            when isinf(g_x) then { 'status': 'decreasing', 'reason': 'pace' }
            when slope is null then { 'status': 'insufficient_data', 'reason': 'one_point_only' }
            when trend is null then { 'status': 'insufficient_data', 'reason': 'two_points' }
            {{ status_of_trend('is_noise', 'judged.pace_for_status') }}
        end as verdict
    from judged
    cross join thresholds
)

select
    framework_id,
    as_of_year,
    iso3,
    indicator_id,
    pillar_id,
    subtheme_id,
    weight,
    baseline_year,
    baseline_value,
    latest_year,
    measured_year,
    latest_value,
    target_value,
    target_year,
    pace_target_value,
    level_score,
    attainment,
    due,
    attainment - due as ahead_behind,
    slope as observed_annual_change,
    slope_basis,
    points::integer as points,
    required_annual_change,
    required_annual_change_from_now,
    trend,
    required_trend,
    pace_ratio,
    case
        when trend is not null then noise_z * noise_error / sqrt(spread)
    end as noise_band,
    case
        when is_noise and trend is not null then 'last_value'
        when trend is not null
            then case trend_kept when 1 then 'trend' when 0 then 'last_value' else 'part_of_trend' end
    end as projection_method,
    kept_trend,
    projection,
    least(projection_at_low, projection_at_high) as projection_low,
    greatest(projection_at_low, projection_at_high) as projection_high,
    case when projection_at_low is not null then interval_basis end as interval_basis,
    case when not is_met then probability_of_met_value end as probability_of_target,
    case when not is_pace_met then probability_of_pace_met_value end as probability_of_pace_target,
    case
        when is_met then measured_year
        when years_to_target between 0 and projection_horizon_years
            then measured_year + ceil(years_to_target - 1e-9)::integer
    end as projected_target_year,
    verdict.status,
    verdict.reason as status_reason,
    coalesce(verdict.reason in ('pace', 'within_noise') and points < few_points_below, false) as is_on_few_points
from verdicts
