-- Series that were unknown on the as-of day: all their vintages are newer.
select
    known_from.indicator_id,
    min(known_from.known_from)::date as first_known_on
from {{ ref('int_known_from') }} as known_from
cross join {{ source('landing', 'run') }} as run
group by known_from.indicator_id, run.as_of
having min(known_from.known_from) >= run.as_of + interval 1 day
