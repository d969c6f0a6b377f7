-- Every vintage that was landed. Vintages written before figure_origin existed have it in obs_status
-- (warehouse/landing.py reads them in the same way).
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
    )
from landed
