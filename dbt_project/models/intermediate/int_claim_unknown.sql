-- Series that were unknown on the as-of day: all their vintages are newer.
select
    vintages.indicator_id,
    min(vintages.known_from)::date as first_known_on
from {{ ref('int_known_from') }} as vintages
cross join {{ source('landing', 'run') }} as run
group by vintages.indicator_id, run.as_of
having min(vintages.known_from) >= run.as_of + interval 1 day
