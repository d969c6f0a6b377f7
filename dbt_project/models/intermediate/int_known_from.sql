-- The time from which the figures of each landed vintage and year count as known: when the vintage was landed. An
-- edition of an index is public from its release day (seed edition_releases). The figures of the oldest stored copy of
-- an edition count as known from that day.
with landed as (
    select distinct
        indicator_id,
        vintage_at,
        year
    from {{ ref('int_landed') }}
)

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
