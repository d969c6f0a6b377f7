-- Which indicators cannot be scored for most members, and why?
select
    indicator,
    count(*) as members_without_level,
    string_agg(distinct status_because, '; ' order by status_because) as reasons,
    string_agg(iso3, ' ' order by iso3) as members
from v_indicators_latest
where level is null
group by indicator
order by members_without_level desc, indicator
limit 15;
