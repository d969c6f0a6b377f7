-- Is Uzbekistan on track for internet use, and what is the source?
select
    s.status,
    s.status_reason,
    s.baseline_year,
    s.baseline_value,
    s.latest_year,
    s.measured_year,
    s.latest_value,
    s.pace_target_value,
    s.target_year,
    s.observed_annual_change,
    s.required_annual_change_from_now,
    s.pace_ratio,
    s.projection,
    s.projection_low,
    s.projection_high,
    s.probability_of_target,
    o.provider,
    o.provider_code,
    o.provider_release,
    o.source_url
from indicator_scores as s
inner join observations as o
    on s.iso3 = o.iso3 and s.indicator_id = o.indicator_id and s.latest_year = o.year
where s.framework_id = 'carec_2030' and s.iso3 = 'UZB' and s.indicator_id = 'internet_users_pct';
