-- The rank of every member over the scenarios: the band that the choices behind the score leave.
select
    members.framework_id,
    members.iso3,
    any_value(ranks.rank) filter (where ranks.scenario = 0) as rank,
    quantile_cont(ranks.rank::double, 0.05) as rank_p05,
    quantile_cont(ranks.rank::double, 0.5) as rank_median,
    quantile_cont(ranks.rank::double, 0.95) as rank_p95,
    avg(ranks.rank) as rank_mean,
    {{ safe_divide('count_if(ranks.rank <= 3)', 'count(ranks.rank)') }} as share_top3,
    count(ranks.rank)::integer as scenarios
from {{ ref('int_members') }} as members
left join {{ ref('int_scenario_ranks') }} as ranks
    using (framework_id, iso3)
group by members.framework_id, members.iso3
order by members.framework_id, members.iso3
