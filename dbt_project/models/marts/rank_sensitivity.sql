-- How much of the variance of ranks each assumption explains alone: Sobol's first-order index, the variance of the mean
-- rank given the alternative, divided by the variance of the rank (Saltelli et al., Global Sensitivity Analysis, 2008).
-- The grid has every combination of alternatives, so nothing is sampled, and all sums are of whole numbers: with n
-- scenarios, k alternatives and s the sum of ranks under one of them, n^2 times the two variances are k * sum(s^2) -
-- sum(s)^2 and n * sum(rank^2) - sum(rank)^2. Members are averaged with the variance of their rank as weight.
with scenarios as (
    select
        *,
        -- the assumptions that differ from scenario 0
        list_filter(
            [
                case when aggregation <> 'declared' then 'aggregation' end,
                case when normalisation <> 'goalposts' then 'normalisation' end,
                case when weight_set <> 0 then 'weights' end,
                case when left_out <> 'none' then 'leave_out' end,
                case when origin <> 'declared' then 'origin' end
            ],
            lambda departure: departure is not null
        ) as departures
    from {{ ref('int_scenarios') }}
),

by_assumption as (
    unpivot (
        select
            ranks.framework_id,
            ranks.iso3,
            ranks.rank,
            base.rank as base_rank,
            scenarios.departures,
            scenarios.aggregation,
            scenarios.normalisation,
            scenarios.weight_set::varchar as weights,
            scenarios.left_out as leave_out,
            scenarios.origin
        from {{ ref('int_scenario_ranks') }} as ranks
        inner join scenarios
            using (framework_id, scenario)
        inner join {{ ref('int_scenario_ranks') }} as base
            on ranks.framework_id = base.framework_id and ranks.iso3 = base.iso3 and base.scenario = 0
    )
    on aggregation, normalisation, weights, leave_out, origin
    into name assumption value alternative
),

by_alternative as (
    select
        framework_id,
        assumption,
        iso3,
        alternative,
        count(*) as n,
        sum(rank) as s,
        sum(rank * rank) as squares,
        max(case when departures = [assumption] then abs(rank - base_rank) else 0 end) as shift
    from by_assumption
    group by all
),

by_member as (
    select
        framework_id,
        assumption,
        iso3,
        count(*) * sum(s * s) - sum(s) * sum(s) as explained,
        sum(n) * sum(squares) - sum(s) * sum(s) as variance,
        max(shift) as shift,
        count(*) as alternatives
    from by_alternative
    group by all
)

select
    framework_id,
    assumption,
    max(alternatives)::integer as alternatives,
    {{ safe_divide('sum(explained)', 'sum(variance)') }} as first_order_share,
    max(shift)::integer as max_rank_shift
from by_member
group by framework_id, assumption
order by framework_id, assumption
