-- Every vintage known at the end of the as-of day, numbered within its indicator from the oldest on.
-- They are numbered apart from their figures: a window over all figures would hold every column of them at once.
with known as not materialized (
    select landed.* exclude (known_from)
    from {{ ref('int_landed') }} as landed
    cross join {{ source('landing', 'run') }} as run
    where landed.known_from < run.as_of + interval 1 day
),

numbered as (
    select
        indicator_id,
        vintage_at,
        row_number() over (partition by indicator_id order by vintage_at) as vintage_number,
        lead(vintage_at) over (partition by indicator_id order by vintage_at) is null as is_newest
    from known
    group by indicator_id, vintage_at
)

select
    known.*,
    numbered.vintage_number,
    numbered.is_newest
from known
inner join numbered
    on known.indicator_id = numbered.indicator_id and known.vintage_at = numbered.vintage_at
