-- Score and rank of every ranked member in every scenario. Leaving an indicator out changes one sub-theme of one
-- pillar, so only the scenarios that leave nothing out are added up from the indicators; the others change three means.
-- A sub-theme or pillar that is left empty drops out of the mean above it; a member's only indicator stays in.
-- y is a value on the scale on which the aggregation above it is the arithmetic mean.
with choices as (
    select
        scenarios.framework_id,
        scenarios.full_scenario,
        aggregations.subtheme_aggregation,
        aggregations.pillar_aggregation,
        aggregations.overall_aggregation,
        aggregations.geometric_floor
    from {{ ref('int_scenarios') }} as scenarios
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id, aggregation)
    where scenarios.left_out = 'none'
),

scaled as (
    select
        scores.*,
        aggregations.aggregation,
        {{ rescale(
            '(aggregations.lowest_value + (1 - aggregations.lowest_value / 100) * scores.value)',
            "'arithmetic'", 'aggregations.subtheme_aggregation', 'aggregations.geometric_floor'
        ) }} as y
    from {{ ref('int_scenario_values') }} as scores
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id)
),

-- every scenario that leaves an indicator out stands for that indicator in the full scenario
cells as (
    select
        scenarios.framework_id,
        scenarios.full_scenario,
        scenarios.scenario,
        scaled.iso3,
        scaled.pillar_id,
        scaled.subtheme_id,
        scaled.weight * weights.factor as weight,
        scaled.y
    from {{ ref('int_scenarios') }} as scenarios
    inner join {{ ref('int_scenario_weights') }} as weights
        on
            scenarios.framework_id = weights.framework_id
            and scenarios.weight_set = weights.weight_set
            and scenarios.left_out = weights.indicator_id
    inner join scaled
        on
            scenarios.framework_id = scaled.framework_id
            and scenarios.aggregation = scaled.aggregation
            and scenarios.normalisation = scaled.normalisation
            and scenarios.left_out = scaled.indicator_id
),

subtheme_sums as (
    select
        framework_id,
        full_scenario,
        iso3,
        pillar_id,
        subtheme_id,
        {{ exact_sum('weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then weight end') }}, 0) as total_weight
    from cells
    group by all
),

subtheme_scores as (
    select
        sums.*,
        choices.* exclude (framework_id, full_scenario),
        weights.weight,
        {{ rescale(
            '(sums.total / sums.total_weight)',
            'choices.subtheme_aggregation', 'choices.pillar_aggregation', 'choices.geometric_floor'
        ) }} as y
    from subtheme_sums as sums
    inner join choices
        using (framework_id, full_scenario)
    inner join {{ ref('int_subthemes') }} as weights
        using (framework_id, pillar_id, subtheme_id)
),

pillar_sums as (
    select
        framework_id,
        full_scenario,
        iso3,
        pillar_id,
        {{ exact_sum('weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then weight end') }}, 0) as total_weight
    from subtheme_scores
    group by all
),

pillar_scores as (
    select
        sums.*,
        choices.* exclude (framework_id, full_scenario),
        weights.weight,
        {{ rescale(
            '(sums.total / sums.total_weight)',
            'choices.pillar_aggregation', 'choices.overall_aggregation', 'choices.geometric_floor'
        ) }} as y
    from pillar_sums as sums
    inner join choices
        using (framework_id, full_scenario)
    inner join {{ ref('int_pillars') }} as weights
        using (framework_id, pillar_id)
),

overall_sums as (
    select
        framework_id,
        full_scenario,
        iso3,
        overall_aggregation,
        {{ exact_sum('weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then weight end') }}, 0) as total_weight
    from pillar_scores
    group by all
),

subthemes_without as (
    select
        cells.framework_id,
        cells.full_scenario,
        cells.scenario,
        cells.iso3,
        cells.pillar_id,
        scores.weight,
        scores.y as old,
        {{ rescale(
            mean_with('scores.total', 'scores.total_weight', 'cells.weight', 'cells.y', 'null'),
            'scores.subtheme_aggregation', 'scores.pillar_aggregation', 'scores.geometric_floor'
        ) }} as new
    from cells
    inner join subtheme_scores as scores
        using (framework_id, full_scenario, iso3, subtheme_id)
),

pillars_without as (
    select
        without.framework_id,
        without.full_scenario,
        without.scenario,
        without.iso3,
        scores.weight,
        scores.y as old,
        {{ rescale(
            mean_with('scores.total', 'scores.total_weight', 'without.weight', 'without.old', 'without.new'),
            'scores.pillar_aggregation', 'scores.overall_aggregation', 'scores.geometric_floor'
        ) }} as new
    from subthemes_without as without
    inner join pillar_scores as scores
        using (framework_id, full_scenario, iso3, pillar_id)
),

means as (
    select
        framework_id,
        full_scenario as scenario,
        iso3,
        total / total_weight as mean,
        overall_aggregation
    from overall_sums
    union all by name
    select
        without.framework_id,
        without.scenario,
        without.iso3,
        coalesce(
            {{ mean_with('sums.total', 'sums.total_weight', 'without.weight', 'without.old', 'without.new') }},
            sums.total / sums.total_weight
        ) as mean,
        sums.overall_aggregation
    from pillars_without as without
    inner join overall_sums as sums
        using (framework_id, full_scenario, iso3)
),

scores as (
    select
        framework_id,
        scenario,
        iso3,
        {{ rescale('mean', 'overall_aggregation', "'arithmetic'", '0') }} as score
    from means
)

-- scores that differ by rounding errors only are a tie
select
    *,
    rank() over (partition by framework_id, scenario order by round(score, 9) desc)::integer as rank
from scores
