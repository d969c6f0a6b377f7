-- Score and rank of every ranked member in every scenario. Leaving an indicator out changes one sub-theme of one
-- pillar, so only the scenarios that leave nothing out are added up from the indicators; the others change three means.
-- A sub-theme or pillar that is left empty drops out of the mean above it; a member's only indicator stays in.
-- y is a value on the scale on which the aggregation above it is the arithmetic mean. Scenarios without a left-out
-- indicator (choices), members and their parts go by number: there are very many rows to join.
with sizes as (
    select
        framework_id,
        count(distinct iso3) as members
    from {{ ref('int_scenario_values') }}
    group by all
),

runs as (
    select
        scenarios.*,
        row_number() over (order by scenarios.framework_id, scenarios.scenario)::integer as run,
        sum(sizes.members) over (order by scenarios.framework_id, scenarios.scenario) - sizes.members as rows_before
    from {{ ref('int_scenarios') }} as scenarios
    inner join sizes
        using (framework_id)
),

choices as (
    select
        runs.run,
        runs.run as choice,
        runs.framework_id,
        runs.scenario,
        runs.aggregation,
        runs.normalisation,
        aggregations.subtheme_aggregation,
        aggregations.pillar_aggregation,
        aggregations.overall_aggregation,
        aggregations.geometric_floor
    from runs
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id, aggregation)
    where runs.left_out = 'none'
),

numbered as (
    select
        scores.*,
        (dense_rank() over (order by scores.framework_id, scores.iso3))::integer as member,
        (dense_rank() over (order by scores.framework_id, scores.iso3, scores.pillar_id))::integer as pillar,
        (dense_rank() over (order by scores.framework_id, scores.iso3, scores.pillar_id, scores.subtheme_id))::integer
            as subtheme
    from {{ ref('int_scenario_values') }} as scores
),

parts as (
    select distinct
        numbered.framework_id,
        numbered.iso3,
        numbered.member,
        numbered.pillar,
        numbered.subtheme,
        subthemes.weight as subtheme_weight,
        pillars.weight as pillar_weight
    from numbered
    inner join {{ ref('int_subthemes') }} as subthemes
        using (framework_id, pillar_id, subtheme_id)
    inner join {{ ref('int_pillars') }} as pillars
        using (framework_id, pillar_id)
),

scaled as (
    select
        numbered.framework_id,
        numbered.normalisation,
        numbered.indicator_id,
        numbered.subtheme,
        numbered.weight,
        aggregations.aggregation,
        {{ rescale(
            '(aggregations.lowest_value + (1 - aggregations.lowest_value / 100) * numbered.value)',
            "'arithmetic'", 'aggregations.subtheme_aggregation', 'aggregations.geometric_floor'
        ) }} as y
    from numbered
    inner join {{ ref('int_scenario_aggregations') }} as aggregations
        using (framework_id)
),

-- every scenario that leaves an indicator out stands for that indicator in the choice
left_outs as (
    select
        runs.run,
        choices.choice,
        choices.framework_id,
        choices.aggregation,
        choices.normalisation,
        runs.left_out,
        weights.factor
    from runs
    inner join choices
        on runs.framework_id = choices.framework_id and runs.full_scenario = choices.scenario
    inner join {{ ref('int_scenario_weights') }} as weights
        on
            runs.framework_id = weights.framework_id
            and runs.weight_set = weights.weight_set
            and runs.left_out = weights.indicator_id
),

cells as (
    select
        left_outs.run,
        left_outs.choice,
        scaled.subtheme,
        scaled.weight * left_outs.factor as weight,
        scaled.y
    from left_outs
    inner join scaled
        on
            left_outs.framework_id = scaled.framework_id
            and left_outs.aggregation = scaled.aggregation
            and left_outs.normalisation = scaled.normalisation
            and left_outs.left_out = scaled.indicator_id
),

subtheme_sums as (
    select
        choice,
        subtheme,
        {{ exact_sum('weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then weight end') }}, 0) as total_weight
    from cells
    group by all
),

subtheme_scores as (
    select
        sums.*,
        parts.* exclude (framework_id, iso3, subtheme),
        choices.subtheme_aggregation,
        choices.pillar_aggregation,
        choices.overall_aggregation,
        choices.geometric_floor,
        {{ rescale(
            '(sums.total / sums.total_weight)',
            'choices.subtheme_aggregation', 'choices.pillar_aggregation', 'choices.geometric_floor'
        ) }} as y
    from subtheme_sums as sums
    inner join choices
        using (choice)
    inner join parts
        using (subtheme)
),

pillar_sums as (
    select
        choice,
        member,
        pillar,
        pillar_weight,
        {{ exact_sum('subtheme_weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then subtheme_weight end') }}, 0) as total_weight
    from subtheme_scores
    group by all
),

pillar_scores as (
    select
        sums.*,
        {{ rescale(
            '(sums.total / sums.total_weight)',
            'choices.pillar_aggregation', 'choices.overall_aggregation', 'choices.geometric_floor'
        ) }} as y
    from pillar_sums as sums
    inner join choices
        using (choice)
),

overall_sums as (
    select
        choice,
        member,
        {{ exact_sum('pillar_weight * y') }} as total,
        nullif({{ exact_sum('case when y is not null then pillar_weight end') }}, 0) as total_weight
    from pillar_scores
    group by all
),

-- a sub-theme with all that stands above it
paths as (
    select
        subthemes.*,
        pillars.y as pillar_y,
        pillars.total as pillar_total,
        pillars.total_weight as pillar_total_weight,
        overall.total as overall_total,
        overall.total_weight as overall_total_weight
    from subtheme_scores as subthemes
    inner join pillar_scores as pillars
        on subthemes.choice = pillars.choice and subthemes.pillar = pillars.pillar
    inner join overall_sums as overall
        on pillars.choice = overall.choice and pillars.member = overall.member
),

subthemes_without as (
    select
        paths.*,
        cells.run,
        {{ mean_with('paths.total', 'paths.total_weight', 'cells.weight', 'cells.y', 'null') }} as new_mean
    from cells
    inner join paths
        using (choice, subtheme)
),

subthemes_on_scale as (
    select
        *,
        {{ rescale('new_mean', 'subtheme_aggregation', 'pillar_aggregation', 'geometric_floor') }} as new_y
    from subthemes_without
),

pillars_without as (
    select
        *,
        {{ mean_with('pillar_total', 'pillar_total_weight', 'subtheme_weight', 'y', 'new_y') }} as new_pillar_mean
    from subthemes_on_scale
),

pillars_on_scale as (
    select
        *,
        {{ rescale('new_pillar_mean', 'pillar_aggregation', 'overall_aggregation', 'geometric_floor') }}
            as new_pillar_y
    from pillars_without
),

means as (
    select
        choices.run,
        overall_sums.member,
        overall_sums.total / overall_sums.total_weight as mean,
        choices.overall_aggregation
    from overall_sums
    inner join choices
        using (choice)
    union all by name
    select
        run,
        member,
        coalesce(
            {{ mean_with(
                'overall_total', 'overall_total_weight', 'pillar_weight', 'pillar_y', 'new_pillar_y'
            ) }},
            overall_total / overall_total_weight
        ) as mean,
        overall_aggregation
    from pillars_on_scale
),

scores as (
    select
        run,
        member,
        {{ rescale('mean', 'overall_aggregation', "'arithmetic'", '0') }} as score
    from means
),

-- All scenarios in one order: the place in it less the rows before the scenario's. Partitions as many as scenarios cost
-- more than ordering them all.
placed as (
    select
        *,
        rank() over (order by run asc, -{{ rank_key('score') }} asc) as place
    from scores
),

members as (
    select distinct
        iso3,
        member
    from numbered
)

select
    runs.framework_id,
    runs.scenario,
    members.iso3,
    placed.score,
    (placed.place - runs.rows_before)::integer as rank
from placed
inner join runs
    using (run)
inner join members
    using (member)
