-- Which indicators cannot be scored for most members, and why?
select
    i.title,
    count(*) as members_without_level,
    string_agg(distinct s.status_reason, ', ' order by s.status_reason) as reasons,
    string_agg(s.iso3, ' ' order by s.iso3) as members
from indicator_scores as s
inner join indicators as i
    on s.indicator_id = i.indicator_id
where s.framework_id = 'carec_2030' and s.level_score is null
group by i.title
order by members_without_level desc, i.title
limit 15;
