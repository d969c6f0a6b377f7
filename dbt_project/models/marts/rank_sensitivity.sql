-- How much of the variance of ranks each assumption explains: Sobol's indices (Saltelli et al., Global Sensitivity
-- Analysis, 2008). First order: the variance of the mean rank given the alternative, divided by the variance of the
-- rank. Total: the mean variance of the rank given all other assumptions, divided by the variance of the rank; it
-- includes the interactions. The grid has every combination of alternatives, so nothing is sampled, and all sums are
-- of whole numbers. With N scenarios, k alternatives, n = N / k and s a sum of ranks, N^2 times the three variances
-- are k * sum(s^2) - sum(s)^2 with s under one alternative, N * sum(rank^2) - n * sum(s^2) with s over the
-- alternatives, and N * sum(rank^2) - sum(rank)^2. Members are averaged with the variance of their rank as weight.
{% set assumptions = ['aggregation', 'goalposts', 'leave_out', 'normalisation', 'origin', 'transform', 'weights'] -%}
with ranks as (
    select
        ranks.framework_id,
        ranks.iso3,
        ranks.scenario,
        ranks.rank,
        abs(ranks.rank - base.rank) as shift,
        scenarios.* exclude (framework_id, scenario)
    from {{ ref('int_scenario_ranks') }} as ranks
    inner join {{ ref('int_scenarios') }} as scenarios
        using (framework_id, scenario)
    inner join {{ ref('int_scenario_ranks') }} as base
        on ranks.framework_id = base.framework_id and ranks.iso3 = base.iso3 and base.scenario = 0
),

-- scenario - published is the same for all scenarios with one alternative; the scenarios with one published differ only
-- in the alternative
by_alternative as (
    {% for assumption in assumptions %}
    select
        framework_id,
        '{{ assumption }}' as assumption,
        iso3,
        scenario - published_{{ assumption }} as alternative,
        count(*) as n,
        sum(rank) as s,
        sum(rank * rank) as squares,
        max(shift) filter (where published_{{ assumption }} = 0) as shift
    from ranks
    group by all
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

by_others as (
    {% for assumption in assumptions %}
    select
        framework_id,
        '{{ assumption }}' as assumption,
        iso3,
        published_{{ assumption }} as others,
        sum(rank) as s
    from ranks
    group by all
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

main as (
    select
        framework_id,
        assumption,
        iso3,
        any_value(n) as n,
        count(*) * sum(s * s) - sum(s) * sum(s) as explained,
        sum(n) * sum(squares) as total_squares,
        sum(n) * sum(squares) - sum(s) * sum(s) as variance,
        max(shift) as shift,
        count(*) as alternatives
    from by_alternative
    group by all
),

interactions as (
    select
        framework_id,
        assumption,
        iso3,
        sum(s * s) as squares
    from by_others
    group by all
),

shares as (
    select
        framework_id,
        assumption,
        max(alternatives)::integer as alternatives,
        {{ safe_divide('sum(explained)', 'sum(variance)') }} as first_order_share,
        {{ safe_divide('sum(total_squares - n * squares)', 'sum(variance)') }} as total_order_share,
        max(shift)::integer as max_rank_shift,
        (any_value(n) * max(alternatives))::integer as scenarios
    from main
    inner join interactions
        using (framework_id, assumption, iso3)
    group by framework_id, assumption
),

named as (
    {% for assumption, code in [
        ('aggregation', 'varied_aggregation'), ('goalposts', 'varied_goalposts'),
        ('normalisation', 'varied_normalisation'), ('origin', 'varied_origin'), ('transform', 'varied_transform')
    ] %}
    select
        framework_id,
        '{{ assumption }}' as assumption,
        '{{ code }}' as code,
        json_object('alternatives', list(distinct {{ assumption }} order by {{ assumption }})) as operands
    from {{ ref('int_scenarios') }}
    group by framework_id
    union all
    {% endfor %}
    select
        framework_id,
        'leave_out' as assumption,
        'varied_leave_out' as code,
        json_object('indicators', count(distinct indicator_id)) as operands
    from {{ ref('int_scenario_weights') }}
    group by framework_id
    union all
    select
        framework_id,
        'weights' as assumption,
        'varied_weights' as code,
        json_object('sets', max(weight_set), 'low', 1 - max(weight_spread), 'high', 1 + max(weight_spread)) as operands
    from {{ ref('int_scenario_weights') }}
    group by framework_id
),

described as (
    select
        shares.*,
        if(shares.alternatives > 1, named.code, 'varied_nothing') as varied_code,
        named.operands
    from shares
    inner join named
        using (framework_id, assumption)
)

select
    framework_id,
    assumption,
    alternatives,
    {{ sentence('varied_code', 'operands') }} as varied,
    first_order_share,
    total_order_share,
    max_rank_shift,
    scenarios,
    case
        when alternatives > 1 then if(first_order_share is null, 'no_rank_changes', null)
        when assumption = 'goalposts' then 'no_goalpost_variants'
        when assumption = 'origin' then 'no_second_origin'
        when assumption = 'transform' then 'no_logarithms'
        when assumption = 'weights' then 'no_weight_sets'
    end as reason,
    varied_code,
    operands::varchar as operands
from described
order by framework_id, assumption
