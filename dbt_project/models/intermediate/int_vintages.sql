-- Every vintage known at the end of the as-of day, numbered within its indicator from the oldest on.
with known as (
    select
        landed.* exclude (known_from),
        dense_rank() over (partition by landed.indicator_id order by landed.vintage_at) as vintage_number
    from {{ ref('int_landed') }} as landed
    cross join {{ source('landing', 'run') }} as run
    where landed.known_from < run.as_of + interval 1 day
)

select
    known.*,
    known.vintage_number = max(known.vintage_number) over (partition by known.indicator_id) as is_newest
from known
