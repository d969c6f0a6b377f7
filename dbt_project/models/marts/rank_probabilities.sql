-- For every pair of members, the share of scenarios in which the first ranks above the second; ties count half. One
-- order of a pair is counted, and the other is 1 minus it. The published order of a pair holds in the share of the
-- member with the better published rank; below min_order_share, and where the published ranks are equal, the pair is a
-- tie.
with counted as (
    select
        a.framework_id,
        a.iso3 as iso3_a,
        b.iso3 as iso3_b,
        count_if(a.rank < b.rank) as above,
        count_if(a.rank = b.rank) as level,
        count(*) as scenarios,
        any_value(sign(b.rank - a.rank)) filter (where a.scenario = 0) as published_order
    from {{ ref('int_scenario_ranks') }} as a
    inner join {{ ref('int_scenario_ranks') }} as b
        on a.framework_id = b.framework_id and a.scenario = b.scenario and a.iso3 < b.iso3
    group by all
),

shares as (
    select
        *,
        (above + level / 2) / scenarios as above_share,
        (scenarios - above - level / 2) / scenarios as below_share,
        case published_order when 1 then above_share when -1 then below_share else 0 end as order_share
    from counted
),

compared as (
    select
        framework_id,
        iso3_a,
        iso3_b,
        above_share as probability,
        order_share
    from shares
    union all by name
    select
        framework_id,
        iso3_b as iso3_a,
        iso3_a as iso3_b,
        below_share as probability,
        order_share
    from shares
)

select
    a.framework_id,
    a.iso3 as iso3_a,
    b.iso3 as iso3_b,
    compared.probability,
    compared.order_share < parameters.min_order_share as is_tie
from {{ ref('int_members') }} as a
inner join {{ ref('int_members') }} as b
    on a.framework_id = b.framework_id and a.iso3 <> b.iso3
cross join {{ ref('int_parameters') }} as parameters
left join compared
    on a.framework_id = compared.framework_id and a.iso3 = compared.iso3_a and b.iso3 = compared.iso3_b
order by a.framework_id, iso3_a, iso3_b
