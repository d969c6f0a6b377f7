-- Which figures used in the scores are the oldest?
select
    s.iso3,
    i.title,
    s.latest_year,
    s.measured_year,
    s.as_of_year - s.measured_year as age_years,
    i.max_age_years,
    s.status
from indicator_scores as s
inner join indicators as i
    on s.indicator_id = i.indicator_id
where s.framework_id = 'carec_2030' and s.latest_year is not null
order by age_years desc, s.iso3, i.title
limit 15;
