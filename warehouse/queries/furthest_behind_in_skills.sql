-- Who is furthest behind in skills (pillar 4), and in which indicators?
select member, indicator, level, value, unit, year, target_value, status
from v_indicators_latest
where pillar_id = 'p4' and level is not null
order by level, member, indicator
limit 15;
