-- The indicators of the ranked members, on 0..100 under each normalisation: the level, or the share of the other
-- economies with a usable figure that do worse. Equal figures count half; without another economy it is the level. The
-- members with an overall score in the full set are ranked in every scenario, and no others. A member without a figure
-- has a row. An indicator without a figure of any ranked member has no rows.
with current_scores as (
    select
        scores.*,
        case
            when scores.level_score is null then null
            when indicators.direction = 'lower_is_better' then -scores.latest_value
            else {{ judged('scores.latest_value', 'indicators.shape') }}
        end as goodness
    from {{ ref('int_indicator_scores') }} as scores
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    semi join {{ ref('int_members') }} as members
        on scores.framework_id = members.framework_id and scores.as_of_year = members.as_of_year
),

placed as (
    select
        *,
        rank() over (partition by framework_id, indicator_id order by goodness asc nulls last) - 1 as worse,
        count(goodness) over (partition by framework_id, indicator_id, goodness) - 1 as equal,
        count(goodness) over (partition by framework_id, indicator_id) - 1 as others
    from current_scores
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
qualify bool_or(normalised.value is not null) over (partition by normalised.framework_id, normalised.indicator_id)
