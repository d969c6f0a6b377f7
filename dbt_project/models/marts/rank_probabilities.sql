-- For every pair of members the share of scenarios in which the first ranks above the second; ties count half.
with compared as (
    select
        a.framework_id,
        a.iso3 as iso3_a,
        b.iso3 as iso3_b,
        avg(case when a.rank < b.rank then 1 when a.rank = b.rank then 0.5 else 0 end) as probability
    from {{ ref('int_scenario_ranks') }} as a
    inner join {{ ref('int_scenario_ranks') }} as b
        on a.framework_id = b.framework_id and a.scenario = b.scenario and a.iso3 <> b.iso3
    group by all
)

select
    a.framework_id,
    a.iso3 as iso3_a,
    b.iso3 as iso3_b,
    compared.probability
from {{ ref('int_members') }} as a
inner join {{ ref('int_members') }} as b
    on a.framework_id = b.framework_id and a.iso3 <> b.iso3
left join compared
    on a.framework_id = compared.framework_id and a.iso3 = compared.iso3_a and b.iso3 = compared.iso3_b
order by a.framework_id, iso3_a, iso3_b
