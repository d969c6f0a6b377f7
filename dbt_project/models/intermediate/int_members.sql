-- The economies that a framework's published scores and ranks are about; without a scored group, all of them.
with run as (
    select max(as_of_year) as as_of_year
    from {{ ref('int_as_of_years') }}
)

select
    frameworks.framework_id,
    economies.iso3,
    economies.name,
    run.as_of_year
from {{ ref('frameworks') }} as frameworks
cross join {{ ref('economies') }} as economies
cross join run
left join {{ ref('economy_groups') }} as economy_groups
    on frameworks.scored_group = economy_groups.group_id and economies.iso3 = economy_groups.iso3
where
    not economies.is_aggregate
    and (frameworks.scored_group is null or economy_groups.iso3 is not null)
