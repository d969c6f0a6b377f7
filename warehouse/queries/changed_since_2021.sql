-- What changed since 2021 in Mongolia's indicators, apart from editions of an index?
select
    title,
    arg_min(value, year) as value_then,
    min(year) as year_then,
    arg_max(value, year) as value_now,
    max(year) as year_now,
    value_now - value_then as change,
    any_value(unit) as unit
from v_history
where iso3 = 'MNG' and kind = 'indicator' and pillar_id is not null and not is_edition and year >= 2021
group by title
having count(*) > 1
order by title;
