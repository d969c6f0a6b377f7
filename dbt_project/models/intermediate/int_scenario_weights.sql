-- The factors on the weights of indicators. In set 0, the declared weights, they are 1. In other sets they are drawn
-- from a hash of framework, set and indicator, so that they do not depend on other rows. If the seed gives no number of
-- sets, there are as many as are needed for min_scenarios scenarios.
with alternatives as (
    select
        scores.framework_id,
        count(distinct scores.normalisation)
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

indicators as (
    select distinct
        framework_id,
        indicator_id
    from {{ ref('int_scenario_values') }}
),

drawn as (
    select
        sets.*,
        indicators.indicator_id,
        {{ hashed_uniform("concat_ws('|', sets.framework_id, sets.weight_set, indicators.indicator_id)") }} as u
    from sets
    inner join indicators
        on sets.framework_id = indicators.framework_id
)

select
    framework_id,
    weight_set,
    indicator_id,
    case when weight_set = 0 then 1 else 1 + weight_spread * (2 * u - 1) end as factor
from drawn
