-- Which of the members' percentages did providers revise most, in points?
select
    r.iso3,
    i.title,
    r.year,
    r.previous_value,
    r.value,
    r.value - r.previous_value as points,
    r.retrieved_at::date as retrieved_on
from revisions as r
inner join economies as e
    on r.iso3 = e.iso3 and e.is_member
inner join indicators as i
    on r.indicator_id = i.indicator_id
where r.kind = 'revised' and i.unit = 'pct'
order by abs(points) desc, r.iso3, i.title, r.year
limit 15;
