-- Which targets will be missed by 2030 at the present pace, and when would they be reached?
select
    member,
    indicator,
    level,
    pace_ratio,
    target_year,
    probability_of_target,
    projected_target_year
from v_indicators_latest
where status_code not in ('achieved', 'insufficient_data') and projected_target_year > target_year
order by projected_target_year desc, member, indicator
limit 15;
