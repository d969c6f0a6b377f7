-- The grid of scenarios: every combination of the alternatives. Scenario 0 is the scorecard as published. full_scenario
-- is the one of the same choices that leaves nothing out.
with normalisations as (
    select distinct
        framework_id,
        normalisation
    from {{ ref('int_scenario_values') }}
),

weight_sets as (
    select distinct
        framework_id,
        weight_set
    from {{ ref('int_scenario_weights') }}
),

left_outs as (
    select distinct
        framework_id,
        unnest(['none', indicator_id]) as left_out
    from {{ ref('int_scenario_values') }}
),

numbered as (
    select
        aggregations.framework_id,
        aggregations.aggregation,
        normalisations.normalisation,
        weight_sets.weight_set,
        left_outs.left_out,
        row_number() over (
            partition by aggregations.framework_id
            order by
                aggregations.aggregation <> 'declared',
                normalisations.normalisation <> 'goalposts',
                weight_sets.weight_set,
                left_outs.left_out <> 'none',
                left_outs.left_out
        ) - 1 as scenario
    from {{ ref('int_scenario_aggregations') }} as aggregations
    inner join normalisations using (framework_id)
    inner join weight_sets using (framework_id)
    inner join left_outs using (framework_id)
)

select
    *,
    min(scenario) over (partition by framework_id, aggregation, normalisation, weight_set) as full_scenario
from numbered
