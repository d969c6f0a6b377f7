-- The economies that a framework's published scores and ranks are about, with the as-of year of the run; without a
-- scored group, all of them.
select
    frameworks.framework_id,
    economies.iso3,
    economies.name,
    year(run.as_of)::integer as as_of_year
from {{ ref('int_frameworks') }} as frameworks
cross join {{ ref('economies') }} as economies
cross join {{ source('landing', 'run') }} as run
left join {{ ref('economy_groups') }} as economy_groups
    on frameworks.scored_group = economy_groups.group_id and economies.iso3 = economy_groups.iso3
where
    not economies.is_aggregate
    and (frameworks.scored_group is null or economy_groups.iso3 is not null)
