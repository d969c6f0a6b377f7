select
    scores.framework_id,
    scores.iso3,
    members.name,
    scores.score as overall_score,
    scores.coverage,
    case
        when scores.score is not null
            then rank() over (
                partition by scores.framework_id
                order by {{ rank_key('scores.score', 'frameworks.rank_digits') }} desc nulls last
            )
    end::integer as rank,
    bands.rank_p05,
    bands.rank_median,
    bands.rank_p95,
    bands.share_top3,
    scores.score_reason,
    scores.pillars_filled
from {{ ref('int_overall_scores') }} as scores
inner join {{ ref('int_members') }} as members
    using (framework_id, iso3, as_of_year)
inner join {{ ref('int_frameworks') }} as frameworks
    using (framework_id)
left join {{ ref('rank_scenarios') }} as bands
    using (framework_id, iso3)
order by scores.framework_id, scores.iso3
