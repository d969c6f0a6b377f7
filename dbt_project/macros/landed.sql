{#
Every vintage of the given indicators, one row per figure and vintage. Each indicator has its own source table, and the
columns are named, so that table and column lineage lead from a score only to the series behind it.
#}
{% macro landed(indicators) -%}
{%- for indicator in indicators %}
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', indicator) }}
{%- if not loop.last %}
union all by name
{%- endif %}
{%- endfor %}
{%- endmacro %}
