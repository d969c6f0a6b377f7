-- Is Uzbekistan on track for internet use: latest value, target, what was expected this year, and the source?
select
    status,
    status_because,
    value,
    unit,
    year,
    expected_this_year,
    target_value,
    target_year,
    change_per_year,
    needed_per_year,
    projection,
    projection_low,
    projection_high,
    probability_of_target,
    source,
    source_series,
    source_release,
    source_url
from v_indicators_latest
where iso3 = 'UZB' and indicator_id = 'internet_users_pct';
