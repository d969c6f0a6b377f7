-- Every vintage known at the end of the as-of day, numbered from the oldest within its indicator.
{% set stagings = ['stg_p1', 'stg_p2', 'stg_p3', 'stg_p4', 'stg_p5', 'stg_sectors', 'stg_context'] %}

with landed as (
    {% for staging in stagings %}
    select * from {{ ref(staging) }}
    {% if not loop.last %}
    union all by name
    {% endif %}
    {% endfor %}
),

known as (
    select
        landed.*,
        dense_rank() over (partition by landed.indicator_id order by landed.vintage_at) as vintage_number
    from landed
    cross join {{ source('landing', 'run') }} as run
    where landed.vintage_at < run.as_of + interval 1 day
)

select
    known.*,
    known.vintage_number = max(known.vintage_number) over (partition by known.indicator_id) as is_newest
from known
