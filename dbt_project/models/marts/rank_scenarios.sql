-- The rank of every member over the scenarios: the band shows how much the rank depends on the choices behind the
-- score.
with bands as (
    select
        framework_id,
        iso3,
        any_value(rank) filter (where scenario = 0) as rank,
        quantile_cont(rank::double, [0.05, 0.5, 0.95]) as quantiles,
        avg(rank) as rank_mean,
        count_if(rank <= 3) / count(*) as share_top3,
        count(*)::integer as scenarios
    from {{ ref('int_scenario_ranks') }}
    group by framework_id, iso3
)

select
    members.framework_id,
    members.iso3,
    bands.rank,
    bands.quantiles[1] as rank_p05,
    bands.quantiles[2] as rank_median,
    bands.quantiles[3] as rank_p95,
    bands.rank_mean,
    bands.share_top3,
    coalesce(bands.scenarios, 0) as scenarios
from {{ ref('int_members') }} as members
left join bands
    using (framework_id, iso3)
order by members.framework_id, members.iso3
