-- How many indicators are in each class of progress, for each member of the main framework and for all of them. The
-- last two columns are filled when the build is published (warehouse/history.py), from the publication before.
with cells as (
    select
        scores.framework_id,
        scores.iso3,
        case
            when scores.status_reason = 'not_comparable_edition' then 'level_only' else thresholds.progress
        end as progress
    from {{ ref('indicator_scores') }} as scores
    inner join {{ ref('status_thresholds') }} as thresholds
        on scores.status = thresholds.status
    where scores.framework_id = '{{ var("framework") }}'
),

counted as (
    select
        framework_id,
        coalesce(iso3, 'CAREC') as iso3,
        count(*) as total,
        {% for progress in var('progress') %}
        count(*) filter (where progress = '{{ progress }}') as {{ progress }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from cells
    group by grouping sets ((framework_id, iso3), (framework_id))
),

classes as (
    select
        framework_id,
        iso3,
        total,
        unnest([
            {% for progress in var('progress') %}
            { 'progress': '{{ progress }}', 'indicators': {{ progress }} }
            {%- if not loop.last %},{% endif %}
            {% endfor %}
        ], recursive := true)
    from counted
)

select
    framework_id,
    iso3,
    progress,
    indicators::integer as indicators,
    total::integer as total,
    null::integer as previous_indicators,
    null::integer as change
from classes
order by framework_id, iso3, list_position({{ var('progress') }}, progress)
