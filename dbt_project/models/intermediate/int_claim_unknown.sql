-- Series that were unknown on the as-of day: all their vintages are newer.
select
    landed.indicator_id,
    min(landed.known_from)::date as first_known_on
from {{ ref('int_landed') }} as landed
cross join {{ source('landing', 'run') }} as run
group by landed.indicator_id, run.as_of
having min(landed.known_from) >= run.as_of + interval 1 day
