-- The economies with published scores and ranks in a framework, with the as-of year of the run. Without a scored group
-- these are all economies.
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
