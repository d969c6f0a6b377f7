-- The indicators of the ranked members, on 0..100 under each normalisation and origin. A normalisation is the level, or
-- the share of the other economies with a usable figure that do worse. Equal figures count half; without another
-- economy it is the level. With the other origin, figures are exchanged where both origins have a usable one; a
-- framework without such a figure of a ranked member has only the declared origin. The members with an overall score in
-- the full set are ranked in every scenario, and no others. A member without a figure has a row. An indicator without a
-- figure of any ranked member has no rows.
with current_scores as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        indicators.shape,
        indicators.direction = 'lower_is_better' as is_lower_better,
        coalesce(others.is_exchanged, false) as is_exchanged,
        unnest(['declared', 'other']) as origin,
        unnest([scores.latest_value, if(is_exchanged, others.other_value, scores.latest_value)]) as figure,
        unnest([scores.level_score, if(is_exchanged, others.other_level_score, scores.level_score)]) as level_score
    from {{ ref('int_indicator_scores') }} as scores
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    semi join {{ ref('int_members') }} as members
        on scores.framework_id = members.framework_id and scores.as_of_year = members.as_of_year
    left join {{ ref('int_second_origins') }} as others
        on
            scores.framework_id = others.framework_id
            and scores.as_of_year = others.as_of_year
            and scores.indicator_id = others.indicator_id
            and scores.iso3 = others.iso3
),

directed as (
    select
        *,
        case
            when level_score is null then null
            when is_lower_better then -figure
            else {{ judged('figure', 'shape') }}
        end as goodness
    from current_scores
),

placed as (
    select
        *,
        rank() over (partition by framework_id, indicator_id, origin order by goodness asc nulls last) - 1 as worse,
        count(goodness) over (partition by framework_id, indicator_id, origin, goodness) - 1 as equal,
        count(goodness) over (partition by framework_id, indicator_id, origin) - 1 as others
    from directed
),

normalised as (
    select
        framework_id,
        as_of_year,
        iso3,
        pillar_id,
        subtheme_id,
        indicator_id,
        weight,
        origin,
        is_exchanged,
        case
            when goodness is not null
                then coalesce({{ safe_divide('100 * (worse + equal / 2)', 'others') }}, level_score)
        end as rank_share,
        unnest(['goalposts', 'rank_share']) as normalisation,
        unnest([level_score, rank_share]) as value
    from placed
)

select
    normalised.framework_id,
    normalised.normalisation,
    normalised.origin,
    normalised.iso3,
    normalised.pillar_id,
    normalised.subtheme_id,
    normalised.indicator_id,
    normalised.weight,
    normalised.value
from normalised
inner join {{ ref('int_members') }}
    using (framework_id, as_of_year, iso3)
inner join {{ ref('int_overall_scores') }} as overall
    using (framework_id, as_of_year, iso3)
inner join {{ ref('int_pillars') }} as pillars
    using (framework_id, pillar_id)
where overall.score is not null and pillars.in_overall
qualify
    bool_or(normalised.value is not null) over (partition by normalised.framework_id, normalised.indicator_id)
    and (normalised.origin = 'declared' or bool_or(normalised.is_exchanged) over (partition by normalised.framework_id))
