-- The indicators behind the overall score, for every economy that has one: the level, the level that the published mean
-- implies where it is missing, and pillar and overall score as they are without the indicator. Only the means that
-- contain it change, so they are corrected and not computed again. A sub-theme or pillar without any other indicator
-- drops out; gates are not applied again.
with scored as (
    select
        scores.framework_id,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        scores.level_score,
        frameworks.aggregation,
        frameworks.pillar_aggregation,
        frameworks.subtheme_aggregation,
        frameworks.geometric_floor,
        subthemes.weight as subtheme_weight,
        pillar_scores.weight as pillar_weight,
        subtheme_scores.score as subtheme_score,
        pillar_scores.score as pillar_score,
        overall.score as overall_score,
        members.iso3 is not null as is_member,
        {{ to_mean('scores.level_score', 'frameworks.subtheme_aggregation', 'frameworks.geometric_floor') }} as part,
        {{ to_mean('subtheme_scores.score', 'frameworks.pillar_aggregation', 'frameworks.geometric_floor') }}
            as subtheme_part,
        {{ to_mean('pillar_scores.score', 'frameworks.aggregation', 'frameworks.geometric_floor') }} as pillar_part,
        -- a sub-theme has one row per indicator: its weight is divided among them, so that sums over rows are correct
        subthemes.weight / count(*) over (partition by framework_id, iso3, pillar_id, subtheme_id) as weight_of_row
    from {{ ref('int_levels') }} as scores
    inner join {{ ref('int_as_of_years') }} as as_of_years using (framework_id, as_of_year, iso3)
    inner join {{ ref('int_frameworks') }} as frameworks using (framework_id)
    inner join {{ ref('int_overall_scores') }} as overall using (framework_id, as_of_year, iso3)
    inner join {{ ref('int_pillar_scores') }} as pillar_scores using (framework_id, as_of_year, iso3, pillar_id)
    inner join {{ ref('int_subthemes') }} as subthemes using (framework_id, pillar_id, subtheme_id)
    inner join {{ ref('int_subtheme_scores') }} as subtheme_scores
        using (framework_id, as_of_year, iso3, pillar_id, subtheme_id)
    left join {{ ref('int_members') }} as members using (framework_id, as_of_year, iso3)
    where as_of_years.is_run and overall.score is not null and pillar_scores.in_overall
),

summed as (
    select
        *,
        sum(weight * part) over subtheme as part_sum,
        sum(case when part is not null then weight end) over subtheme as part_weights,
        count(part) over subtheme as parts,
        sum(weight_of_row * subtheme_part) over pillar as subtheme_sum,
        sum(case when subtheme_part is not null then weight_of_row end) over pillar as subtheme_weights,
        count(part) over pillar as pillar_parts
    from scored
    window
        subtheme as (
            partition by framework_id, iso3, pillar_id, subtheme_id order by indicator_id asc
            rows between unbounded preceding and unbounded following
        ),
        pillar as (
            partition by framework_id, iso3, pillar_id order by subtheme_id asc, indicator_id asc
            rows between unbounded preceding and unbounded following
        )
),

pillars as (
    select distinct
        framework_id,
        iso3,
        pillar_id,
        pillar_weight,
        pillar_part
    from scored
),

framework_sums as (
    select
        framework_id,
        iso3,
        {{ exact_sum('pillar_weight * pillar_part') }} as pillar_sum,
        {{ exact_sum('pillar_weight') }} as pillar_weights
    from pillars
    group by all
),

without_indicator as (
    select
        summed.*,
        pillar_sum,
        pillar_weights,
        case
            when part is null then subtheme_score
            when parts > 1
                then
                    {{ from_mean(
                        '((part_sum - weight * part) / (part_weights - weight))', 'subtheme_aggregation'
                    ) }}
        end as subtheme_without
    from summed
    inner join framework_sums using (framework_id, iso3)
),

pillars_without as (
    select
        *,
        {{ to_mean('subtheme_without', 'pillar_aggregation', 'geometric_floor') }} as subtheme_part_without
    from without_indicator
),

rescored as (
    select
        *,
        case
            when part is null then pillar_score
            when subtheme_without is not null
                then
                    {{ from_mean(
                        '((subtheme_sum + subtheme_weight * (subtheme_part_without - subtheme_part))'
                        ~ ' / subtheme_weights)',
                        'pillar_aggregation'
                    ) }}
            when pillar_parts > parts
                then
                    {{ from_mean(
                        '((subtheme_sum - subtheme_weight * subtheme_part) / (subtheme_weights - subtheme_weight))',
                        'pillar_aggregation'
                    ) }}
        end as pillar_without
    from pillars_without
),

overall_without as (
    select
        *,
        {{ to_mean('pillar_without', 'aggregation', 'geometric_floor') }} as pillar_part_without
    from rescored
)

select
    framework_id,
    iso3,
    is_member,
    case when is_member then ['members', 'economies'] else ['economies'] end as populations,
    pillar_id,
    subtheme_id,
    indicator_id,
    level_score,
    coalesce(level_score, subtheme_score, pillar_score) as implied_level,
    shares.share,
    subtheme_score,
    pillar_score,
    overall_score,
    pillar_without,
    aggregation = 'arithmetic'
    and pillar_aggregation = 'arithmetic'
    and subtheme_aggregation = 'arithmetic' as is_additive,
    case
        when part is null then overall_score
        when pillar_without is not null
            then
                {{ from_mean(
                    '((pillar_sum + pillar_weight * (pillar_part_without - pillar_part)) / pillar_weights)',
                    'aggregation'
                ) }}
        when pillar_weights > pillar_weight
            then
                {{ from_mean(
                    '((pillar_sum - pillar_weight * pillar_part) / (pillar_weights - pillar_weight))', 'aggregation'
                ) }}
    end as overall_without
from overall_without
inner join {{ ref('int_indicator_shares') }} as shares using (framework_id, indicator_id)
