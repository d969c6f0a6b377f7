{%- set value = judged('scores.latest_value', 'indicators.shape') -%}
with jumps as (
    select
        scores.framework_id,
        scores.iso3,
        scores.indicator_id,
        scores.as_of_year,
        max(jumps.to_year) as undecided_jump_year
    from {{ ref('int_indicator_scores') }} as scores
    inner join {{ ref('series_jumps') }} as jumps
        on
            scores.framework_id = jumps.framework_id
            and scores.indicator_id = jumps.indicator_id
            and scores.iso3 = jumps.iso3
            and scores.baseline_year <= jumps.from_year
            and scores.measured_year >= jumps.to_year
    where jumps.decision = 'undecided'
    group by all
)

select
    scores.framework_id,
    scores.iso3,
    scores.indicator_id,
    scores.pillar_id,
    scores.subtheme_id,
    scores.baseline_year,
    scores.baseline_value,
    scores.latest_year,
    scores.measured_year,
    scores.latest_value,
    scores.target_value,
    scores.target_year,
    scores.pace_target_value,
    scores.level_score,
    lost.points_lost,
    scores.attainment,
    scores.due,
    scores.ahead_behind,
    scores.observed_annual_change,
    scores.slope_basis,
    scores.points,
    scores.required_annual_change,
    scores.required_annual_change_from_now,
    scores.trend,
    scores.required_trend,
    scores.pace_ratio,
    scores.noise_band,
    scores.projection_method,
    scores.kept_trend,
    scores.projection,
    scores.projection_low,
    scores.projection_high,
    scores.interval_basis,
    scores.probability_of_target,
    scores.probability_of_pace_target,
    scores.projected_target_year,
    scores.status,
    scores.status_reason,
    scores.is_on_few_points,
    jumps.undecided_jump_year,
    scores.as_of_year,
    case
        when scores.level_score is null or colours.green_value is null then null
        when {{ meets(value, 'colours.green_value', 'colours.red_value', 'colours.green_value') }} then 'green'
        when
            {{ meets(
                value, '(colours.green_value + colours.red_value) / 2', 'colours.red_value', 'colours.green_value'
            ) }}
            then 'yellow'
        when {{ meets(value, 'colours.red_value', 'colours.red_value', 'colours.green_value') }} then 'orange'
        else 'red'
    end as colour
from {{ ref('int_indicator_scores') }} as scores
inner join {{ ref('int_members') }}
    using (framework_id, iso3, as_of_year)
inner join {{ ref('indicators') }} as indicators
    on scores.indicator_id = indicators.indicator_id
left join {{ ref('colour_thresholds') }} as colours
    on scores.framework_id = colours.framework_id and scores.indicator_id = colours.indicator_id
left join jumps
    on
        scores.framework_id = jumps.framework_id
        and scores.iso3 = jumps.iso3
        and scores.indicator_id = jumps.indicator_id
        and scores.as_of_year = jumps.as_of_year
left join {{ ref('int_points_lost') }} as lost
    on
        scores.framework_id = lost.framework_id
        and scores.iso3 = lost.iso3
        and scores.as_of_year = lost.as_of_year
        and scores.indicator_id = lost.indicator_id
order by scores.framework_id, scores.pillar_id, scores.subtheme_id, scores.indicator_id, scores.iso3
