-- The grid of scenarios: every combination of the alternatives, numbered like the digits of a number, with the left-out
-- indicator as the last digit. Scenario 0 is the published scorecard. full_scenario is the scenario with the same
-- choices and no indicator left out.
with aggregations as (
    select
        framework_id,
        aggregation,
        row_number() over (partition by framework_id order by aggregation <> 'declared') - 1 as place,
        count(*) over (partition by framework_id) as alternatives
    from {{ ref('int_scenario_aggregations') }}
),

origins as (
    select
        framework_id,
        origin,
        row_number() over (partition by framework_id order by origin <> 'declared') - 1 as place
    from {{ ref('int_scenario_values') }}
    group by framework_id, origin
),

normalisations as (
    select
        framework_id,
        normalisation,
        row_number() over (partition by framework_id order by normalisation <> 'goalposts') - 1 as place,
        count(*) over (partition by framework_id) as alternatives
    from {{ ref('int_scenario_values') }}
    group by framework_id, normalisation
),

weight_sets as (
    select
        framework_id,
        weight_set,
        count(*) over (partition by framework_id) as alternatives
    from {{ ref('int_scenario_weights') }}
    group by framework_id, weight_set
),

left_outs as (
    select
        framework_id,
        left_out,
        row_number() over (partition by framework_id order by left_out <> 'none', left_out) - 1 as place,
        count(*) over (partition by framework_id) as alternatives
    from (
        select distinct
            framework_id,
            unnest(['none', indicator_id]) as left_out
        from {{ ref('int_scenario_values') }}
    )
),

numbered as (
    select
        aggregations.framework_id,
        origins.origin,
        aggregations.aggregation,
        normalisations.normalisation,
        weight_sets.weight_set,
        left_outs.left_out,
        left_outs.place,
        left_outs.alternatives * (
            weight_sets.weight_set
            + weight_sets.alternatives * (
                normalisations.place
                + normalisations.alternatives * (aggregations.place + aggregations.alternatives * origins.place)
            )
        ) as full_scenario
    from aggregations
    inner join origins using (framework_id)
    inner join normalisations using (framework_id)
    inner join weight_sets using (framework_id)
    inner join left_outs using (framework_id)
)

select
    framework_id,
    full_scenario + place as scenario,
    full_scenario,
    origin,
    aggregation,
    normalisation,
    weight_set,
    left_out
from numbered
