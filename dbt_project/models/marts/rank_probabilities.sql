-- For every pair of members, the share of scenarios in which the first ranks above the second; ties count half. One
-- order of a pair is counted, and the other is 1 minus it.
with counted as (
    select
        a.framework_id,
        a.iso3 as iso3_a,
        b.iso3 as iso3_b,
        count_if(a.rank < b.rank) as above,
        count_if(a.rank = b.rank) as level,
        count(*) as scenarios
    from {{ ref('int_scenario_ranks') }} as a
    inner join {{ ref('int_scenario_ranks') }} as b
        on a.framework_id = b.framework_id and a.scenario = b.scenario and a.iso3 < b.iso3
    group by all
),

compared as (
    select
        framework_id,
        iso3_a,
        iso3_b,
        (above + level / 2) / scenarios as probability
    from counted
    union all by name
    select
        framework_id,
        iso3_b as iso3_a,
        iso3_a as iso3_b,
        (scenarios - above - level / 2) / scenarios as probability
    from counted
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
