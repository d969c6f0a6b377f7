-- Which targets will be missed by 2030 at the present pace, and when would they be reached?
select
    s.iso3,
    i.title,
    s.level_score,
    s.pace_ratio,
    s.target_year,
    s.probability_of_target,
    s.projected_target_year
from indicator_scores as s
inner join indicators as i
    on s.indicator_id = i.indicator_id
where
    s.framework_id = 'carec_2030' and s.status not in ('achieved', 'insufficient_data')
    and s.projected_target_year > s.target_year
order by s.projected_target_year desc, s.iso3, i.title
limit 15;
