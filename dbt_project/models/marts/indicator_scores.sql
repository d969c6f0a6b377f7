select
    scores.framework_id,
    scores.iso3,
    scores.indicator_id,
    scores.pillar_id,
    scores.subtheme_id,
    scores.baseline_year,
    scores.baseline_value,
    scores.latest_year,
    scores.latest_value,
    scores.target_value,
    scores.target_year,
    scores.pace_target_value,
    scores.level_score,
    scores.attainment,
    scores.due,
    scores.ahead_behind,
    scores.observed_annual_change,
    scores.slope_basis,
    scores.required_annual_change,
    scores.required_annual_change_from_now,
    scores.pace_ratio,
    scores.projection,
    scores.projection_low,
    scores.projection_high,
    scores.projected_target_year,
    scores.status,
    scores.status_reason,
    scores.as_of_year
from {{ ref('int_indicator_scores') }} as scores
inner join {{ ref('int_members') }}
    using (framework_id, iso3, as_of_year)
order by scores.framework_id, scores.pillar_id, scores.subtheme_id, scores.indicator_id, scores.iso3
