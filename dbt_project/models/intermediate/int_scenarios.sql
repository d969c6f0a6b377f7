-- The grid of scenarios: every combination of the alternatives, numbered like the digits of a number, with the left-out
-- indicator as the last digit. Scenario 0 is the published scorecard. For every assumption, published_<assumption> is
-- the scenario with its published alternative and the same alternatives of the others. full_scenario is the scenario
-- whose scores are computed: no indicator left out, and the published goalposts and transform where they do not matter.
{% set assumptions = ['leave_out', 'weights', 'transform', 'goalposts', 'normalisation', 'aggregation', 'origin'] %}
with alternatives as (
    select distinct
        framework_id,
        'aggregation' as assumption,
        aggregation as alternative,
        'declared' as published
    from {{ ref('int_scenario_aggregations') }}
    union all
    select distinct
        framework_id,
        'weights' as assumption,
        lpad(weight_set::varchar, 4, '0') as alternative,
        '0000' as published
    from {{ ref('int_scenario_weights') }}
    union all
    select distinct
        framework_id,
        'leave_out' as assumption,
        unnest(['none', indicator_id]) as alternative,
        'none' as published
    from {{ ref('int_scenario_values') }}
    {% for assumption, published in [
        ('normalisation', 'goalposts'), ('goalposts', 'declared'), ('transform', 'declared'), ('origin', 'declared')
    ] %}
    union all
    select distinct
        framework_id,
        '{{ assumption }}' as assumption,
        {{ assumption }} as alternative,
        '{{ published }}' as published
    from {{ ref('int_scenario_values') }}
    {% endfor %}
),

sizes as (
    select
        framework_id,
        assumption,
        count(*) as alternatives,
        list_position({{ assumptions }}, assumption) as digit
    from alternatives
    group by framework_id, assumption
),

units as (
    select
        framework_id,
        assumption,
        coalesce(
            product(alternatives) over (
                partition by framework_id order by digit rows between unbounded preceding and 1 preceding
            ),
            1
        )::integer as unit
    from sizes
),

-- what each alternative adds to the number of a scenario
placed as (
    select
        alternatives.framework_id,
        alternatives.assumption,
        alternatives.alternative,
        units.unit * (
            row_number() over (
                partition by alternatives.framework_id, alternatives.assumption
                order by (alternatives.alternative <> alternatives.published) asc, alternatives.alternative asc
            ) - 1
        )::integer as step
    from alternatives
    inner join units
        using (framework_id, assumption)
),

combined as (
    select
        {% for assumption in assumptions %}
        {{ assumption }}.alternative as {{ assumption }},
        {{ assumption }}.step as {{ assumption }}_step,
        {% endfor %}
        leave_out.framework_id
    from placed as leave_out
    {% for assumption in assumptions[1:] %}
    inner join placed as {{ assumption }}
        on leave_out.framework_id = {{ assumption }}.framework_id and {{ assumption }}.assumption = '{{ assumption }}'
    {% endfor %}
    where leave_out.assumption = 'leave_out'
),

numbered as (
    select
        *,
        leave_out_step + weights_step + transform_step + goalposts_step
        + normalisation_step + aggregation_step + origin_step as scenario
    from combined
)

select
    framework_id,
    scenario,
    scenario - leave_out_step
    - if(normalisation = 'rank_share', goalposts_step + transform_step, 0) as full_scenario,
    origin,
    aggregation,
    normalisation,
    goalposts,
    transform,
    weights::integer as weight_set,
    {% for assumption in assumptions %}
    scenario - {{ assumption }}_step as published_{{ assumption }},
    {% endfor %}
    leave_out as left_out
from numbered
