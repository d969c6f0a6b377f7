-- Which indicators are furthest behind the path to 2030, over all members?
select
    indicator,
    count(*) as members_judged,
    count(*) filter (where status_code in ('stagnating', 'decreasing')) as stagnating_or_moving_away,
    median(pace_ratio) as median_pace_ratio
from v_indicators_latest
where status_code <> 'insufficient_data'
group by indicator
order by stagnating_or_moving_away desc, indicator
limit 15;
