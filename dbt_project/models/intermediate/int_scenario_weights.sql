-- The weights under each alternative of the assumption weights, one row per indicator with the weights of its sub-theme
-- and its pillar. In set 0 they are the declared ones. In other sets each weight, of every level, is multiplied by its
-- own factor, drawn from a hash of framework, set and name, so that it does not depend on other rows. If the seed gives
-- no number of sets, there are as many as are needed for min_scenarios scenarios.
with alternatives as (
    select
        scores.framework_id,
        count(distinct scores.normalisation)
        * count(distinct scores.goalposts)
        * count(distinct scores.transform)
        * count(distinct scores.origin)
        * (count(distinct scores.indicator_id) + 1)
        * count(distinct aggregations.aggregation) as in_a_set
    from {{ ref('int_scenario_values') }} as scores
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        on scores.framework_id = aggregations.framework_id
    group by all
),

assumed as (
    select
        alternatives.framework_id,
        case
            when coalesce(own.weight_sets, general.weight_sets) is null
                then ceil(parameters.min_scenarios / alternatives.in_a_set)::integer - 1
            else coalesce(own.weight_sets, general.weight_sets)
        end as weight_sets,
        coalesce(own.weight_spread, general.weight_spread, 0) as weight_spread
    from alternatives
    cross join {{ ref('int_parameters') }} as parameters
    left join {{ ref('scenario_assumptions') }} as own
        on alternatives.framework_id = own.framework_id
    left join {{ ref('scenario_assumptions') }} as general
        on general.framework_id is null
),

sets as (
    select
        framework_id,
        weight_spread,
        unnest(generate_series(0, weight_sets))::integer as weight_set
    from assumed
),

declared as (
    select distinct
        scores.framework_id,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        subthemes.weight as subtheme_weight,
        pillars.weight as pillar_weight
    from {{ ref('int_scenario_values') }} as scores
    inner join {{ ref('int_subthemes') }} as subthemes
        on
            scores.framework_id = subthemes.framework_id
            and scores.pillar_id = subthemes.pillar_id
            and scores.subtheme_id = subthemes.subtheme_id
    inner join {{ ref('int_pillars') }} as pillars
        on scores.framework_id = pillars.framework_id and scores.pillar_id = pillars.pillar_id
)

select
    framework_id,
    weight_set,
    weight_spread,
    pillar_id,
    subtheme_id,
    indicator_id,
    weight * {{ weight_factor("indicator_id") }} as weight,
    subtheme_weight * {{ weight_factor("'subtheme', pillar_id, subtheme_id") }} as subtheme_weight,
    pillar_weight * {{ weight_factor("'pillar', pillar_id") }} as pillar_weight
from sets
inner join declared
    using (framework_id)
