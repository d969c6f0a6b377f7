-- The economies that are scored as of the end of each year: every economy in the year of the run, and a framework's
-- members in the earlier years of its history. Figures of later years are unknown then, and staleness counts from that
-- year. The goalposts are the same in every year.
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
