select
    scores.framework_id,
    scores.iso3,
    scores.as_of_year,
    scores.pillar_id,
    scores.score,
    scores.coverage,
    scores.indicators_scored,
    scores.indicators_total,
    scores.score_reason
from {{ ref('int_pillar_scores') }} as scores
semi join {{ ref('int_members') }} as members
    on scores.framework_id = members.framework_id and scores.iso3 = members.iso3
order by scores.framework_id, scores.iso3, scores.as_of_year, scores.pillar_id
