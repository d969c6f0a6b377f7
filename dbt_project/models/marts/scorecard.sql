with ranked as (
    select
        scores.framework_id,
        scores.iso3,
        members.name,
        scores.score as overall_score,
        scores.coverage,
        case
            when scores.score is not null
                then
                    rank() over (
                        partition by scores.framework_id
                        order by {{ rank_key('scores.score', 'frameworks.rank_digits') }} desc nulls last
                    )
        end::integer as rank,
        scores.score_reason,
        scores.pillars_filled
    from {{ ref('int_overall_scores') }} as scores
    inner join {{ ref('int_members') }} as members
        using (framework_id, iso3, as_of_year)
    inner join {{ ref('int_frameworks') }} as frameworks
        using (framework_id)
),

ties as (
    select
        pairs.framework_id,
        pairs.iso3_a as iso3,
        string_agg(pairs.iso3_b, ', ' order by others.rank, pairs.iso3_b) as tied_with
    from {{ ref('rank_probabilities') }} as pairs
    inner join ranked as others
        on pairs.framework_id = others.framework_id and pairs.iso3_b = others.iso3
    where pairs.is_tie
    group by all
)

select
    ranked.* exclude (score_reason, pillars_filled),
    ties.tied_with,
    bands.rank_p05,
    bands.rank_median,
    bands.rank_p95,
    bands.share_top3,
    ranked.score_reason,
    ranked.pillars_filled
from ranked
left join ties
    using (framework_id, iso3)
left join {{ ref('rank_scenarios') }} as bands
    using (framework_id, iso3)
order by ranked.framework_id, ranked.iso3
