-- The economies of the groups that the regional panel compares, with the as-of day of the run.
select
    economy_groups.group_id,
    economy_groups.iso3,
    run.as_of::date as as_of,
    count(*) over (partition by economy_groups.group_id) as members_total
from {{ ref('economy_groups') }} as economy_groups
cross join {{ source('landing', 'run') }} as run
where economy_groups.group_id in ('carec', 'asean', 'eu27')
