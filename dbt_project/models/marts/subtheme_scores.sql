select
    scores.framework_id,
    scores.iso3,
    scores.pillar_id,
    scores.subtheme_id,
    scores.score,
    scores.coverage,
    scores.indicators_scored,
    scores.indicators_total
from {{ ref('int_subtheme_scores') }} as scores
inner join {{ ref('int_members') }}
    using (framework_id, iso3, as_of_year)
order by scores.framework_id, scores.pillar_id, scores.subtheme_id, scores.iso3
