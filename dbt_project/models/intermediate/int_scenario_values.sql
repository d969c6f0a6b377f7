-- The indicators of the ranked members, on 0..100, under each alternative of the assumptions that change a value. A
-- normalisation is the level, or the share of the other economies with a usable figure that do worse. Equal figures
-- count half; without another economy it is the level. Levels are computed with every set of goalposts (seed
-- goalpost_variants; an indicator without a variant keeps the declared ones), and with the declared scale or without
-- logarithms. A rank share depends on neither and has rows of the declared ones only. With the other origin, figures
-- are exchanged where both origins have a usable one; a framework without such a figure of a ranked member has only the
-- declared origin. The members with an overall score in the full set are ranked in every scenario, and no others. A
-- member without a figure has a row. An indicator without a figure of any ranked member has no rows.
with current_scores as (
    select
        scores.*,
        overall.score is not null as has_overall
    from {{ ref('int_levels') }} as scores
    semi join {{ ref('int_members') }} as runs
        on scores.framework_id = runs.framework_id and scores.as_of_year = runs.as_of_year
    left join {{ ref('int_members') }} as members
        using (framework_id, as_of_year, iso3)
    left join {{ ref('int_overall_scores') }} as overall
        on
            members.framework_id = overall.framework_id
            and members.as_of_year = overall.as_of_year
            and members.iso3 = overall.iso3
),

figures as (
    select
        scores.framework_id,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        indicators.shape,
        indicators.direction = 'lower_is_better' as is_lower_better,
        scores.has_overall and pillars.in_overall as is_ranked,
        coalesce(others.is_exchanged, false) as is_exchanged,
        unnest(['declared', 'other']) as origin,
        unnest([scores.latest_value, if(is_exchanged, others.other_value, scores.latest_value)]) as figure,
        unnest([scores.level_score, if(is_exchanged, others.other_level_score, scores.level_score)]) as level_score
    from current_scores as scores
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    inner join {{ ref('int_pillars') }} as pillars
        on scores.framework_id = pillars.framework_id and scores.pillar_id = pillars.pillar_id
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
        {{ judged('figure', 'shape') }} as judged_figure,
        case
            when level_score is null then null
            when is_lower_better then -figure
            else judged_figure
        end as goodness
    from figures
),

placed as (
    select
        *,
        rank() over (partition by framework_id, indicator_id, origin order by goodness asc nulls last) - 1 as worse,
        count(goodness) over (partition by framework_id, indicator_id, origin, goodness) - 1 as equal,
        count(goodness) over (partition by framework_id, indicator_id, origin) - 1 as others
    from directed
),

ranked as (
    select *
    from placed
    where is_ranked
    qualify
        bool_or(level_score is not null) over (partition by framework_id, indicator_id)
        and (origin = 'declared' or bool_or(is_exchanged) over (partition by framework_id))
),

benchmarks as (
    select
        framework_id,
        indicator_id,
        transform,
        floor_value,
        target_value,
        bool_or(transform = 'log') over (partition by framework_id) as has_logarithms
    from {{ ref('benchmarks') }}
    semi join ranked
        using (framework_id, indicator_id)
),

variants as (
    select
        framework_id,
        indicator_id,
        goalposts,
        floor_value,
        target_value
    from {{ ref('goalpost_variants') }}
    semi join ranked
        using (framework_id, indicator_id)
),

goalpost_sets as (
    select distinct
        framework_id,
        'declared' as goalposts
    from benchmarks
    union
    select
        framework_id,
        goalposts
    from variants
),

scales as (
    select
        benchmarks.framework_id,
        benchmarks.indicator_id,
        goalpost_sets.goalposts,
        coalesce(variants.floor_value, benchmarks.floor_value) as floor_value,
        coalesce(variants.target_value, benchmarks.target_value) as target_value,
        unnest(if(has_logarithms, ['declared', 'none'], ['declared'])) as transform,
        unnest(if(has_logarithms, [benchmarks.transform, 'none'], [benchmarks.transform])) as scale
    from benchmarks
    inner join goalpost_sets
        using (framework_id)
    left join variants
        using (framework_id, indicator_id, goalposts)
),

on_scale as (
    select
        ranked.*,
        scales.goalposts,
        scales.transform,
        {{ to_g('judged_figure', 'scales.scale') }} as g,
        {{ to_g('scales.floor_value', 'scales.scale') }} as g_floor,
        {{ to_g('scales.target_value', 'scales.scale') }} as g_target
    from ranked
    inner join scales
        using (framework_id, indicator_id)
),

every_value as (
    select
        framework_id,
        'goalposts' as normalisation,
        goalposts,
        transform,
        origin,
        iso3,
        pillar_id,
        subtheme_id,
        indicator_id,
        weight,
        case
            when level_score is null or (goalposts = 'declared' and transform = 'declared') then level_score
            else {{ level_score('g', 'g_floor', 'g_target') }}
        end as value
    from on_scale
    union all by name
    select
        framework_id,
        'rank_share' as normalisation,
        'declared' as goalposts,
        'declared' as transform,
        origin,
        iso3,
        pillar_id,
        subtheme_id,
        indicator_id,
        weight,
        case
            when goodness is not null
                then coalesce({{ safe_divide('100 * (worse + equal / 2)', 'others') }}, level_score)
        end as value
    from ranked
)

-- as in the published scores, a figure below a sub-theme or pillar without a score does not count, and a pillar with a
-- stated value (seed pillar_fills) has it, whatever is left out
select
    every_value.* exclude (value),
    case
        when pillars.is_filled then pillars.score
        when pillars.score is not null and subthemes.score is not null then every_value.value
    end as value
from every_value
inner join {{ ref('int_members') }}
    using (framework_id, iso3)
inner join {{ ref('int_pillar_scores') }} as pillars
    using (framework_id, as_of_year, iso3, pillar_id)
left join {{ ref('int_subtheme_scores') }} as subthemes
    using (framework_id, as_of_year, iso3, pillar_id, subtheme_id)
