-- Every vintage known at the end of the as-of day, numbered from the oldest within its indicator.
-- An edition of an index is public from the day it appears (seed edition_releases): the figures of our oldest copy
-- count as known from then on, edition by edition.
{% set stagings = ['stg_p1', 'stg_p2', 'stg_p3', 'stg_p4', 'stg_p5', 'stg_sectors', 'stg_context'] %}

with landed as (
    {% for staging in stagings %}
    select * from {{ ref(staging) }}
    {% if not loop.last %}
    union all by name
    {% endif %}
    {% endfor %}
),

dated as (
    select
        landed.*,
        case
            when landed.vintage_at = min(landed.vintage_at) over (partition by landed.indicator_id)
                then least(landed.vintage_at, releases.released_on)
            else landed.vintage_at
        end as known_from
    from landed
    left join {{ ref('edition_releases') }} as releases
        on landed.indicator_id = releases.indicator_id and landed.year = releases.edition_year
),

known as (
    select
        dated.* exclude (known_from),
        dense_rank() over (partition by dated.indicator_id order by dated.vintage_at) as vintage_number
    from dated
    cross join {{ source('landing', 'run') }} as run
    where dated.known_from < run.as_of + interval 1 day
)

select
    known.*,
    known.vintage_number = max(known.vintage_number) over (partition by known.indicator_id) as is_newest
from known
