-- Score and rank of every ranked member in every scenario: the same means as in the published scores, from indicators
-- to sub-themes, pillars and the overall score, with the values and weights of the scenario. Leaving an indicator out
-- changes only its own sub-theme and pillar, so the means of a level are computed for every indicator below it that is
-- left out, and for none. A sub-theme or pillar without a value drops out of the mean above it. If a member's only
-- indicator is left out, it keeps its score of the full scenario.
with cells as (
    select
        scenarios.framework_id,
        scenarios.scenario as full_scenario,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        weights.weight,
        weights.subtheme_weight,
        weights.pillar_weight,
        aggregations.lowest_value + (1 - aggregations.lowest_value / 100) * scores.value as score,
        aggregations.subtheme_aggregation,
        aggregations.pillar_aggregation,
        aggregations.overall_aggregation,
        aggregations.geometric_floor as floor
    from {{ ref('int_scenarios') }} as scenarios
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id, aggregation)
    inner join {{ ref('int_scenario_values') }} as scores
        using (framework_id, normalisation, goalposts, transform, origin)
    inner join {{ ref('int_scenario_weights') }} as weights
        using (framework_id, weight_set, indicator_id)
    where scenarios.scenario = scenarios.full_scenario and scores.value is not null
),

left_outs as (
    select distinct
        framework_id,
        pillar_id,
        subtheme_id,
        unnest(['none', indicator_id]) as left_out
    from {{ ref('int_scenario_weights') }}
),

-- what is left out of each sub-theme and each pillar for each indicator that is left out of the whole
omissions as (
    select distinct
        places.framework_id,
        places.pillar_id,
        places.subtheme_id,
        left_outs.left_out,
        if(left_outs.pillar_id = places.pillar_id, left_outs.left_out, 'none') as from_pillar,
        if(
            left_outs.pillar_id = places.pillar_id and left_outs.subtheme_id = places.subtheme_id,
            left_outs.left_out,
            'none'
        ) as from_subtheme
    from {{ ref('int_scenario_weights') }} as places
    inner join left_outs
        on places.framework_id = left_outs.framework_id
    where places.weight_set = 0
),

of_subthemes as (
    select distinct
        framework_id,
        pillar_id,
        subtheme_id,
        from_subtheme
    from omissions
),

of_pillars as (
    select distinct
        framework_id,
        pillar_id,
        subtheme_id,
        from_subtheme,
        from_pillar
    from omissions
),

of_the_whole as (
    select distinct
        framework_id,
        pillar_id,
        from_pillar,
        left_out
    from omissions
),

subthemes as (
    select
        cells.* exclude (indicator_id, weight, score, subtheme_aggregation),
        of_subthemes.from_subtheme,
        {{ scenario_mean('cells.score', 'cells.weight', 'cells.subtheme_aggregation', 'cells.floor') }} as score
    from cells
    inner join of_subthemes
        using (framework_id, pillar_id, subtheme_id)
    where cells.indicator_id <> of_subthemes.from_subtheme
    group by all
),

pillars as (
    select
        subthemes.* exclude (subtheme_id, subtheme_weight, from_subtheme, score, pillar_aggregation),
        of_pillars.from_pillar,
        {{ scenario_mean('subthemes.score', 'subtheme_weight', 'pillar_aggregation', 'floor') }} as score
    from subthemes
    inner join of_pillars
        using (framework_id, pillar_id, subtheme_id, from_subtheme)
    group by all
),

overall as (
    select
        pillars.framework_id,
        pillars.full_scenario,
        pillars.iso3,
        of_the_whole.left_out,
        {{ scenario_mean('pillars.score', 'pillar_weight', 'overall_aggregation', 'floor') }} as score
    from pillars
    inner join of_the_whole
        using (framework_id, pillar_id, from_pillar)
    group by all
),

choices as (
    select distinct
        framework_id,
        left_out
    from left_outs
),

complete as (
    select
        choices.framework_id,
        full_scores.full_scenario,
        choices.left_out,
        full_scores.iso3,
        coalesce(overall.score, full_scores.score) as score
    from choices
    inner join overall as full_scores
        on choices.framework_id = full_scores.framework_id and full_scores.left_out = 'none'
    left join overall
        on
            choices.framework_id = overall.framework_id
            and choices.left_out = overall.left_out
            and full_scores.full_scenario = overall.full_scenario
            and full_scores.iso3 = overall.iso3
),

ranked as (
    select
        *,
        rank() over (
            partition by framework_id, full_scenario, left_out order by {{ rank_key('score') }} desc
        )::integer as rank
    from complete
)

select
    scenarios.framework_id,
    scenarios.scenario,
    ranked.iso3,
    ranked.score,
    ranked.rank
from {{ ref('int_scenarios') }} as scenarios
inner join ranked
    using (framework_id, full_scenario, left_out)
