-- What the overall score of an economy without one would be: a sensitivity, which no score, rank or status reads. A
-- least-squares regression of the overall score on the pillars that the economy has, over all economies with an overall
-- score, predicts it. The interval has the 5th and 95th percentile of the errors of that prediction for each of those
-- economies, left out in turn. Only economies of a group are imputed, because the means of groups are what it is for.
with pillars as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.pillar_id,
        scores.weight,
        scores.score,
        scores.is_filled,
        {% for end, value in [('_lowest', '0'), ('_highest', '100')] %}
        {{ to_mean('coalesce(scores.score, ' ~ value ~ ')', 'frameworks.aggregation', 'frameworks.geometric_floor') }}
            as part{{ end }},
        {% endfor %}
        frameworks.aggregation
    from {{ ref('int_pillar_scores') }} as scores
    inner join {{ ref('int_as_of_years') }} as years
        on
            scores.framework_id = years.framework_id
            and scores.iso3 = years.iso3
            and scores.as_of_year = years.as_of_year
            and years.is_run
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
    where scores.in_overall
),

economies as (
    select
        pillars.framework_id,
        pillars.iso3,
        overall.score as overall_score,
        list(pillars.pillar_id order by pillars.pillar_id) filter (where pillars.score is not null) as known,
        list(pillars.pillar_id order by pillars.pillar_id) filter (where pillars.score is null) as missing,
        list(pillars.score order by pillars.pillar_id) filter (where pillars.score is not null) as point,
        {{ weighted_mean('(pillars.score is not null)::integer', 'pillars.weight') }}
            as share_known,
        bool_or(pillars.is_filled) as is_filled,
        any_value(pillars.aggregation) as aggregation,
        -- the score if every missing pillar were 0, and if it were 100
        {{ weighted_mean('pillars.part_lowest', 'pillars.weight') }} as lowest,
        {{ weighted_mean('pillars.part_highest', 'pillars.weight') }} as highest
    from pillars
    inner join {{ ref('int_overall_scores') }} as overall
        on
            pillars.framework_id = overall.framework_id
            and pillars.as_of_year = overall.as_of_year
            and pillars.iso3 = overall.iso3
    group by all
),

targets as (
    select *
    from economies
    semi join {{ ref('economy_groups') }} as economy_groups
        on economies.iso3 = economy_groups.iso3
    where overall_score is null and share_known >= {{ var('imputation_min_share') }}
),

patterns as (
    select distinct
        framework_id,
        known
    from targets
),

complete as (
    select
        patterns.framework_id,
        patterns.known,
        economies.iso3,
        economies.overall_score,
        list(pillars.score order by pillars.pillar_id) as point
    from patterns
    inner join economies
        on patterns.framework_id = economies.framework_id
    inner join pillars
        on
            economies.framework_id = pillars.framework_id
            and economies.iso3 = pillars.iso3
            and list_contains(patterns.known, pillars.pillar_id)
    where economies.overall_score is not null and economies.missing is null and not economies.is_filled
    group by all
),

ranges as (
    select
        pillars.framework_id,
        pillars.pillar_id,
        min(pillars.score) as lowest,
        max(pillars.score) as highest
    from pillars
    semi join complete
        on pillars.framework_id = complete.framework_id and pillars.iso3 = complete.iso3
    group by all
),

outside as (
    select
        pillars.framework_id,
        pillars.iso3,
        bool_or(pillars.score not between ranges.lowest and ranges.highest) as is_extrapolated
    from pillars
    inner join ranges
        on pillars.framework_id = ranges.framework_id and pillars.pillar_id = ranges.pillar_id
    group by all
),

matrices as (
    select
        framework_id,
        known,
        count(*) as economies,
        list(list_prepend(overall_score, point) order by iso3) as matrix
    from complete
    group by all
),

predicted as (
    select
        targets.*,
        matrices.economies,
        predicted_with_errors(matrices.matrix, targets.point) as found,
        {{ from_mean('targets.lowest', 'targets.aggregation') }} as lowest_score,
        {{ from_mean('targets.highest', 'targets.aggregation') }} as highest_score,
        outside.is_extrapolated
    from targets
    inner join outside
        on targets.framework_id = outside.framework_id and targets.iso3 = outside.iso3
    inner join matrices
        on targets.framework_id = matrices.framework_id and targets.known = matrices.known
    where matrices.economies >= {{ var('audit_min_units') }}
)

select
    framework_id,
    iso3,
    {{ clip('found[1]', 'lowest_score', 'highest_score') }} as imputed_score,
    {{ clip('(found[1] + found[2])', 'lowest_score', 'highest_score') }} as imputed_low,
    {{ clip('(found[1] + found[3])', 'lowest_score', 'highest_score') }} as imputed_high,
    found[4] as prediction_error,
    economies::integer as economies,
    list_aggregate(known, 'string_agg', ', ') as pillars_known,
    list_aggregate(missing, 'string_agg', ', ') as pillars_missing,
    is_extrapolated
from predicted
where found is not null
order by framework_id, iso3
