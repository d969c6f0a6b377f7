-- Score and rank of every ranked member in every scenario: the same means as in the published scores, from indicators
-- to sub-themes, pillars and the overall score, with the values and weights of the scenario. A sub-theme or pillar
-- without a value drops out of the mean above it. If a member's only indicator is left out, it keeps its score of the
-- full scenario.
with cells as (
    select
        scenarios.framework_id,
        scenarios.scenario,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.weight * weights.factor as weight,
        aggregations.lowest_value + (1 - aggregations.lowest_value / 100) * scores.value as score,
        aggregations.subtheme_aggregation,
        aggregations.pillar_aggregation,
        aggregations.overall_aggregation,
        aggregations.geometric_floor as floor
    from {{ ref('int_scenarios') }} as scenarios
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id, aggregation)
    inner join {{ ref('int_scenario_values') }} as scores
        using (framework_id, normalisation, origin)
    inner join {{ ref('int_scenario_weights') }} as weights
        using (framework_id, weight_set, indicator_id)
    where scores.indicator_id <> scenarios.left_out and scores.value is not null
),

subthemes as (
    select
        * exclude (weight, score, subtheme_aggregation),
        {{ scenario_mean('score', 'weight', 'subtheme_aggregation', 'floor') }} as score
    from cells
    group by all
),

pillars as (
    select
        subthemes.* exclude (subtheme_id, score, pillar_aggregation),
        {{ scenario_mean('subthemes.score', 'declared.weight', 'pillar_aggregation', 'floor') }} as score
    from subthemes
    inner join {{ ref('int_subthemes') }} as declared
        using (framework_id, pillar_id, subtheme_id)
    group by all
),

overall as (
    select
        pillars.framework_id,
        pillars.scenario,
        pillars.iso3,
        {{ scenario_mean('pillars.score', 'declared.weight', 'overall_aggregation', 'floor') }} as score
    from pillars
    inner join {{ ref('int_pillars') }} as declared
        using (framework_id, pillar_id)
    group by all
)

select
    scenarios.framework_id,
    scenarios.scenario,
    complete.iso3,
    coalesce(overall.score, complete.score) as score,
    rank() over (
        partition by scenarios.framework_id, scenarios.scenario
        order by {{ rank_key('coalesce(overall.score, complete.score)') }} desc
    )::integer as rank
from {{ ref('int_scenarios') }} as scenarios
inner join overall as complete
    on scenarios.framework_id = complete.framework_id and scenarios.full_scenario = complete.scenario
left join overall
    on
        scenarios.framework_id = overall.framework_id
        and scenarios.scenario = overall.scenario
        and complete.iso3 = overall.iso3
