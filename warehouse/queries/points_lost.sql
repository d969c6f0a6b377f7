-- Through which indicators does Pakistan lose most points of its overall score?
select indicator, pillar, points_lost, level, value, unit, year, target_value
from v_indicators_latest
where iso3 = 'PAK' and points_lost > 0
order by points_lost desc, indicator
limit 15;
