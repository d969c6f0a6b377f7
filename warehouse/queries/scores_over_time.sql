-- How did Georgia's scores change from year to year, counting only indicators that compare?
select title, year, value as score, change_like_for_like, because
from v_history
where iso3 = 'GEO' and kind <> 'indicator' and year >= 2021 and (pillar_id is null or starts_with(pillar_id, 'p'))
order by kind, id, year;
