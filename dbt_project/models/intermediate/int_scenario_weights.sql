-- The factors on the weights of indicators: 1 in set 0, the declared weights, else drawn from the names of framework,
-- set and indicator, so that they stay the same whatever else is in the tables.
with assumed as (
    select
        frameworks.framework_id,
        coalesce(own.weight_sets, general.weight_sets, 0) as weight_sets,
        coalesce(own.weight_spread, general.weight_spread, 0) as weight_spread
    from {{ ref('int_frameworks') }} as frameworks
    left join {{ ref('scenario_assumptions') }} as own
        on frameworks.framework_id = own.framework_id
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
