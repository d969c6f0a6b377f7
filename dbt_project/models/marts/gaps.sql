-- How far each member is from the best member and from the simple mean of each comparator, in points; negative is
-- behind.
{% set groups = ['asean', 'eu27', 'world', 'upper_middle_income'] %}

with scores as (
    select
        framework_id,
        iso3,
        pillar_id,
        score
    from {{ ref('pillar_scores') }}
    union all by name
    select
        framework_id,
        iso3,
        'overall' as pillar_id,
        overall_score as score
    from {{ ref('scorecard') }}
),

ranked as (
    select
        *,
        rank() over (partition by framework_id, pillar_id order by {{ rank_key('score') }} desc) as place
    from scores
    where score is not null
),

-- Several economies may be the best.
best as (
    select
        framework_id,
        pillar_id,
        {{ names('iso3') }} as iso3,
        max(score) as score
    from ranked
    where place = 1
    group by all
),

comparators as (
    select
        framework_id,
        pillar_id,
        {% for group in groups %}
        any_value(score) filter (where group_id = '{{ group }}') as {{ group }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('region_scores') }}
    where variant = 'simple'
    group by all
)

select
    scores.framework_id,
    scores.iso3,
    scores.pillar_id,
    scores.score,
    best.iso3 as best_member_iso3,
    scores.score - best.score as gap_to_best_member,
    {% for group in groups %}
    scores.score - comparators.{{ group }} as gap_to_{{ group }}
    {%- if not loop.last %},{% endif %}
    {% endfor %}
from scores
left join best
    on scores.framework_id = best.framework_id and scores.pillar_id = best.pillar_id
left join comparators
    on scores.framework_id = comparators.framework_id and scores.pillar_id = comparators.pillar_id
order by scores.framework_id, scores.pillar_id, scores.iso3
