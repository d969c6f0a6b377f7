-- Who is scored as of the end of which year: every economy in the run's own year, a framework's members in the years of
-- its history before. Figures of later years are unknown then, and staleness counts from it; goalposts are the same.
select
    frameworks.framework_id,
    economies.iso3,
    year(run.as_of)::integer as as_of_year,
    true as is_run
from {{ ref('int_frameworks') }} as frameworks
cross join {{ ref('economies') }} as economies
cross join {{ source('landing', 'run') }} as run
where not economies.is_aggregate
union all by name
select
    members.framework_id,
    members.iso3,
    unnest(range(frameworks.history_from, members.as_of_year))::integer as as_of_year,
    false as is_run
from {{ ref('int_members') }} as members
inner join {{ ref('int_frameworks') }} as frameworks
    on members.framework_id = frameworks.framework_id
