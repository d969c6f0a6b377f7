-- Every vintage that was landed, and the time from which its figures count as known. Vintages written before
-- figure_origin existed have it in obs_status (warehouse/landing.py reads them in the same way). An edition of an index
-- is public from its release day (seed edition_releases). The figures of the oldest stored copy of an edition count as
-- known from that day.
{{ config(materialized='view') }}
{% set stagings = ['stg_p1', 'stg_p2', 'stg_p3', 'stg_p4', 'stg_p5', 'stg_sectors', 'stg_context'] %}

with landed as (
    {% for staging in stagings %}
    select * from {{ ref(staging) }}
    {% if not loop.last %}
    union all by name
    {% endif %}
    {% endfor %}
)

select
    landed.* replace (
        case when {{ former_origin('landed.obs_status') }} is null then landed.obs_status end as obs_status,
        coalesce(landed.figure_origin, {{ former_origin('landed.obs_status') }}) as figure_origin,
        coalesce(
            landed.figure_note,
            case when starts_with(landed.obs_status, 'flagged: ') then landed.obs_status[10:] end
        ) as figure_note
    ),
    case
        when landed.vintage_at = min(landed.vintage_at) over (partition by landed.indicator_id)
            then least(landed.vintage_at, releases.released_on)
        else landed.vintage_at
    end as known_from
from landed
left join {{ ref('edition_releases') }} as releases
    on landed.indicator_id = releases.indicator_id and landed.year = releases.edition_year
