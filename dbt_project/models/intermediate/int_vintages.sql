-- Every vintage known at the end of the as-of day, numbered within its indicator from the oldest on. The numbers are
-- found without the figures, which pass through: a window over ten vintages of all figures takes half a gigabyte.
with known as (
    select
        vintages.* exclude (known_from),
        dense_rank() over (partition by vintages.indicator_id order by vintages.vintage_at) as vintage_number
    from {{ ref('int_known_from') }} as vintages
    cross join {{ source('landing', 'run') }} as run
    where vintages.known_from < run.as_of + interval 1 day
),

numbered as (
    select
        *,
        vintage_number = max(vintage_number) over (partition by indicator_id) as is_newest
    from known
)

select
    landed.*,
    numbered.vintage_number,
    numbered.is_newest
from {{ ref('int_landed') }} as landed
inner join numbered
    on
        landed.indicator_id = numbered.indicator_id
        and landed.vintage_at = numbered.vintage_at
        and landed.year = numbered.year
