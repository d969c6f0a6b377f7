{%- set framework = "'" ~ var('framework') ~ "'" -%}
{%- set pillars = ['p1', 'p2', 'p3', 'p4', 'p5'] -%}
with pillars as (
    select
        scores.iso3,
        {% for pillar in pillars %}
        any_value(scores.score) filter (scores.pillar_id = '{{ pillar }}') as {{ pillar }},
        {% endfor %}
        arg_max(titles.title, scores.score order by scores.pillar_id) as strongest_pillar,
        max(scores.score) as strongest_score,
        arg_min(titles.title, scores.score order by scores.pillar_id) as weakest_pillar,
        min(scores.score) as weakest_score
    from {{ published('pillar_scores') }} as scores
    inner join {{ published('pillars') }} as titles
        on scores.framework_id = titles.framework_id and scores.pillar_id = titles.pillar_id
    where scores.framework_id = {{ framework }} and titles.in_overall
    group by all
),

statuses as (
    select
        iso3,
        count(*)::integer as indicators,
        count_if(status = 'achieved')::integer as target_met,
        {% for status in ['on_track', 'moderately_improving', 'stagnating'] %}
        count_if(status = '{{ status }}')::integer as {{ status }},
        {% endfor %}
        count_if(status = 'decreasing')::integer as moving_away,
        count_if(status = 'insufficient_data' and status_reason = 'not_comparable_edition')::integer as level_only,
        count_if(status = 'insufficient_data' and status_reason <> 'not_comparable_edition')::integer
            as too_little_data
    from {{ published('indicator_scores') }}
    where framework_id = {{ framework }}
    group by all
)

select
    scores.rank,
    scores.name as member,
    scores.iso3,
    scores.overall_score as score,
    {% for pillar in pillars %}
    pillars.{{ pillar }},
    {% endfor %}
    scores.tied_with,
    scores.rank_p05 as rank_low,
    scores.rank_p95 as rank_high,
    scores.share_top3,
    scores.coverage,
    {{ in_words('reasons', 'scores.score_reason') }} as score_because,
    pillars.strongest_pillar,
    pillars.strongest_score,
    pillars.weakest_pillar,
    pillars.weakest_score,
    gaps.best_member_iso3 as best_member,
    gaps.gap_to_best_member,
    gaps.gap_to_asean,
    gaps.gap_to_eu27,
    gaps.gap_to_world,
    gaps.gap_to_upper_middle_income,
    statuses.indicators,
    statuses.target_met,
    statuses.on_track,
    statuses.moderately_improving,
    statuses.stagnating,
    statuses.moving_away,
    statuses.level_only,
    statuses.too_little_data,
    imputed.imputed_score,
    imputed.imputed_low,
    imputed.imputed_high
from {{ published('scorecard') }} as scores
left join pillars
    on scores.iso3 = pillars.iso3
left join statuses
    on scores.iso3 = statuses.iso3
left join {{ published('gaps') }} as gaps
    on scores.framework_id = gaps.framework_id and scores.iso3 = gaps.iso3 and gaps.pillar_id = 'overall'
left join {{ published('imputed_scores') }} as imputed
    on scores.framework_id = imputed.framework_id and scores.iso3 = imputed.iso3
left join {{ published('code_words') }} as reasons
    on scores.score_reason = reasons.code and reasons.kind = 'reason'
where scores.framework_id = {{ framework }}
order by scores.rank nulls last, scores.name
