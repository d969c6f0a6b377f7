-- Which indicators are furthest behind the path to 2030, over all members?
select
    i.title,
    count(*) as members_judged,
    count(*) filter (where s.status in ('stagnating', 'decreasing')) as stagnating_or_decreasing,
    median(s.pace_ratio) as median_pace_ratio
from indicator_scores as s
inner join indicators as i
    on s.indicator_id = i.indicator_id
where s.framework_id = 'carec_2030' and s.status <> 'insufficient_data'
group by i.title
order by stagnating_or_decreasing desc, i.title
limit 15;
