select
    scores.framework_id,
    scores.iso3,
    scores.pillar_id,
    scores.score,
    scores.coverage,
    scores.indicators_scored,
    scores.indicators_total,
    scores.subthemes_measurable,
    scores.subthemes_total,
    scores.register_only,
    case
        when scores.score is not null
            then rank() over (
                partition by scores.framework_id, scores.pillar_id
                order by {{ rank_key('scores.score', 'frameworks.rank_digits') }} desc nulls last
            )
    end::integer as rank,
    scores.score_reason,
    scores.is_filled
from {{ ref('int_pillar_scores') }} as scores
inner join {{ ref('int_members') }}
    using (framework_id, iso3, as_of_year)
inner join {{ ref('int_frameworks') }} as frameworks
    using (framework_id)
order by scores.framework_id, scores.pillar_id, scores.iso3
