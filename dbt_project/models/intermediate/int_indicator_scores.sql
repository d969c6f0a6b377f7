-- Level, attainment, pace, projection and status of every cell. Changes are in units of g (the indicator's unit, or its
-- natural logarithm) per year. A level needs a current value. Pace also needs a comparable baseline.
with cells as (
    select
        cells.*,
        framework_indicators.pillar_id,
        framework_indicators.subtheme_id,
        coalesce(framework_indicators.weight, 1) as weight,
        benchmarks.transform,
        benchmarks.floor_value,
        benchmarks.target_value,
        coalesce(benchmarks.met_value, benchmarks.target_value) as met_value,
        benchmarks.target_year,
        coalesce(benchmarks.pace_target_value, benchmarks.target_value) as pace_target_value,
        -- if pace target and target are equal, met_value applies to both
        case
            when benchmarks.pace_target_value <> benchmarks.target_value then benchmarks.pace_target_value
            else coalesce(benchmarks.met_value, benchmarks.target_value)
        end as pace_met_value,
        indicators.shape,
        indicators.valid_min,
        indicators.valid_max,
        coalesce(indicators.natural_limit, indicators.valid_max) as natural_limit,
        coalesce(noise_bands.min_change_per_year, 0) as min_change_per_year,
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
    left join {{ ref('noise_bands') }} as noise_bands
        on cells.indicator_id = noise_bands.indicator_id
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
        {{ to_g('cells.floor_value', 'cells.transform') }} as g_floor,
        {{ to_g('cells.target_value', 'cells.transform') }} as g_target,
        {{ to_g('cells.met_value', 'cells.transform') }} as g_met,
        {{ to_g('cells.pace_target_value', 'cells.transform') }} as g_pace_target,
        {{ meets('cells.y', 'cells.met_value', 'cells.floor_value', 'cells.target_value') }} as is_met,
        {{ meets('cells.y0', 'cells.met_value', 'cells.floor_value', 'cells.target_value') }} as was_met,
        {{ meets('cells.y', 'cells.pace_met_value', 'cells.floor_value', 'cells.target_value') }} as is_pace_met,
        {{ meets('cells.y0', 'cells.pace_met_value', 'cells.floor_value', 'cells.target_value') }} as was_pace_met,
        {{ logit('cells.x', 'cells.valid_max', 'parameters.logit_share_limit') }} as logit_x,
        {{ logit('cells.met_value', 'cells.valid_max', 'parameters.logit_share_limit') }} as logit_met,
        parameters.min_trend_points,
        parameters.projection_horizon_years
    from judged_values as cells
    cross join {{ ref('int_parameters') }} as parameters
),

-- A trend needs a baseline and a latest value, both finite on the scale g. The condition is in the select list, because
-- in the join it would turn a hash join into a loop over all pairs.
sloped as (
    select
        on_scale.*,
        {% for limit in ['', '_low', '_high'] %}
        case when on_scale.x0 is not null and isfinite(on_scale.g_x) then slopes.slope{{ limit }} end
            as slope{{ limit }},
        case when on_scale.x0 is not null and isfinite(on_scale.g_x) then slopes.logit_slope{{ limit }} end
            as logit_slope{{ limit }},
        {% endfor %}
        case
            when on_scale.x0 is null or not isfinite(on_scale.g_x) or slopes.slope is null then null
            when slopes.points >= on_scale.min_trend_points then 'theil_sen'
            else 'two_points'
        end as slope_basis
    from on_scale
    left join {{ ref('int_slopes') }} as slopes
        using (framework_id, as_of_year, indicator_id, iso3)
),

paced as (
    select
        sloped.*,
        {{ level_score('g_x', 'g_floor', 'g_target') }} as level_score,
        case
            when not was_met then {{ safe_divide('(g_x - g_x0)', '(g_target - g_x0)') }}
        end as attainment,
        case
            when x0 is not null
                then {{ safe_divide('(measured_year - baseline_year)', '(target_year - baseline_year)') }}
        end as due,
        case
            when not was_pace_met
                then {{ safe_divide('(g_pace_target - g_x0)', '(target_year - baseline_year)') }}
        end as required_annual_change,
        case
            when not edition_index and not is_pace_met and target_year > measured_year
                then {{ safe_divide('(g_pace_target - g_x)', '(target_year - measured_year)') }}
        end as required_annual_change_from_now,
        {% for limit in ['', '_low', '_high'] %}
        {{ projected(limit, '(target_year - measured_year)') }} as projection{{ limit }},
        {% endfor %}
        case
            when shape = 'saturating' then {{ safe_divide('(logit_met - logit_x)', 'logit_slope') }}
            else {{ safe_divide('(g_met - g_x)', 'slope') }}
        end as years_to_target
    from sloped
),

judged as (
    select
        paced.*,
        {{ safe_divide('slope', 'required_annual_change') }} as pace_ratio
    from paced
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
            when is_met then { 'status': 'achieved', 'reason': 'met' }
            when edition_index then { 'status': 'insufficient_data', 'reason': 'not_comparable_edition' }
            when was_met then { 'status': 'decreasing', 'reason': 'baseline_met' }
            when is_pace_met then { 'status': 'on_track', 'reason': 'met' }
            when was_pace_met then { 'status': 'decreasing', 'reason': 'baseline_met' }
            when is_baseline_broken then { 'status': 'insufficient_data', 'reason': 'series_break' }
            when x0 is null then { 'status': 'insufficient_data', 'reason': 'no_baseline' }
            when isinf(g_x) then { 'status': 'decreasing', 'reason': 'pace' }
            when slope is null then { 'status': 'insufficient_data', 'reason': 'one_point_only' }
            when abs(slope) <= min_change_per_year then { 'status': 'stagnating', 'reason': 'within_noise' }
            else { 'status': coalesce(thresholds.status, 'decreasing'), 'reason': 'pace' }
        end as verdict
    from judged
    asof left join {{ ref('status_thresholds') }} as thresholds
        on judged.pace_ratio >= thresholds.min_pace_ratio
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
    required_annual_change,
    required_annual_change_from_now,
    pace_ratio,
    projection,
    projection_low,
    projection_high,
    case
        when is_met then measured_year
        when years_to_target between 0 and projection_horizon_years
            then measured_year + ceil(years_to_target - 1e-9)::integer
    end as projected_target_year,
    verdict.status,
    verdict.reason as status_reason
from verdicts
