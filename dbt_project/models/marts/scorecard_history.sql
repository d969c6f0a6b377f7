select
    scores.framework_id,
    scores.iso3,
    scores.as_of_year,
    scores.score as overall_score,
    scores.coverage,
    case
        when scores.score is not null
            then rank() over (
                partition by scores.framework_id, scores.as_of_year
                order by {{ rank_key('scores.score', 'frameworks.rank_digits') }} desc nulls last
            )
    end::integer as rank,
    scores.score_reason,
    named.indicators_entered,
    named.indicators_left
from {{ ref('int_overall_scores') }} as scores
inner join {{ ref('int_frameworks') }} as frameworks
    on scores.framework_id = frameworks.framework_id
semi join {{ ref('int_members') }} as members
    on scores.framework_id = members.framework_id and scores.iso3 = members.iso3
left join {{ ref('int_matched_indicators') }} as named
    on
        scores.framework_id = named.framework_id
        and scores.iso3 = named.iso3
        and scores.as_of_year = named.as_of_year
        and named.pillar_id = 'overall'
order by scores.framework_id, scores.iso3, scores.as_of_year
