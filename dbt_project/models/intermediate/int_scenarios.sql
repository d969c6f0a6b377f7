-- The grid of scenarios: every combination of the alternatives, numbered like the digits of a number, with the left-out
-- indicator as the last digit. Scenario 0 is the published scorecard. For every assumption, published_<assumption> is
-- the scenario with its published alternative and the same alternatives of the others. full_scenario is the scenario
-- whose scores are computed: no indicator left out, and the published goalposts and transform where they do not matter.
{% set assumptions = ['leave_out', 'weights', 'transform', 'goalposts', 'normalisation', 'aggregation', 'origin'] -%}
with alternatives as (
    select distinct
        framework_id,
        'aggregation' as assumption,
        aggregation as alternative,
        aggregation = 'declared' as is_published
    from {{ ref('int_scenario_aggregations') }}
    union all
    select distinct
        framework_id,
        'weights' as assumption,
        lpad(weight_set::varchar, 4, '0') as alternative,
        weight_set = 0 as is_published
    from {{ ref('int_scenario_weights') }}
    {% for assumption, alternative, published in [
        ('normalisation', 'normalisation', 'goalposts'),
        ('goalposts', 'goalposts', 'declared'),
        ('transform', 'transform', 'declared'),
        ('origin', 'origin', 'declared'),
        ('leave_out', "unnest(['none', indicator_id])", 'none')
    ] %}
    union all
    select distinct
        framework_id,
        '{{ assumption }}' as assumption,
        {{ alternative }} as alternative,
        alternative = '{{ published }}' as is_published
    from {{ ref('int_scenario_values') }}
    {% endfor %}
),

placed as (
    select
        *,
        (
            row_number() over (partition by framework_id, assumption order by is_published desc, alternative) - 1
        )::integer as place,
        count(*) over (partition by framework_id, assumption)::integer as alternatives
    from alternatives
),

numbered as (
    select
        framework_id,
        {% for assumption in assumptions %}
        {% set faster_ones = assumptions[:loop.index0] %}
        {{ assumption }}.alternative as {{ assumption }},
        {{ assumption }}.place{% for faster in faster_ones %} * {{ faster }}.alternatives{% endfor %} as {{ assumption }}_step,
        {% endfor %}
        {% for assumption in assumptions %}{{ assumption }}_step{{ ' + ' if not loop.last }}{% endfor %} as scenario
    from (select * from placed where assumption = '{{ assumptions[0] }}') as {{ assumptions[0] }}
    {% for assumption in assumptions[1:] %}
    inner join (select * from placed where assumption = '{{ assumption }}') as {{ assumption }}
        using (framework_id)
    {% endfor %}
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
    leave_out as left_out,
    {% for assumption in assumptions %}
    scenario - {{ assumption }}_step as published_{{ assumption }}{{ ',' if not loop.last }}
    {% endfor %}
from numbered
