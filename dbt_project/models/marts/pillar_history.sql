select
    scores.framework_id,
    scores.iso3,
    scores.as_of_year,
    scores.pillar_id,
    scores.score,
    scores.coverage,
    scores.indicators_scored,
    scores.indicators_total,
    scores.score_reason,
    named.indicators_entered,
    named.indicators_left
from {{ ref('int_pillar_scores') }} as scores
semi join {{ ref('int_members') }} as members
    on scores.framework_id = members.framework_id and scores.iso3 = members.iso3
left join {{ ref('int_matched_indicators') }} as named
    on
        scores.framework_id = named.framework_id
        and scores.iso3 = named.iso3
        and scores.as_of_year = named.as_of_year
        and scores.pillar_id = named.pillar_id
order by scores.framework_id, scores.iso3, scores.as_of_year, scores.pillar_id
