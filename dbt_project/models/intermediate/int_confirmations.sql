-- The newest confirmation of each figure that was known at the end of the as-of day. It belongs to the figure as long
-- as the figure has the value that was confirmed.
select confirmed.*
from {{ source('landing', 'confirmations') }} as confirmed
cross join {{ source('landing', 'run') }} as run
where confirmed.confirmed_at < run.as_of + interval 1 day
qualify
    row_number() over (
        partition by confirmed.indicator_id, confirmed.iso3, confirmed.year, confirmed.value
        order by confirmed.confirmed_at desc, confirmed.confirmed_by asc, confirmed.confirmed_raw_sha256 asc
    ) = 1
