-- Which figures used in the scores are the oldest?
select member, indicator, measured_year, age_years, max_age_years, status, status_because
from v_indicators_latest
where level is not null
order by age_years desc, member, indicator
limit 15;
