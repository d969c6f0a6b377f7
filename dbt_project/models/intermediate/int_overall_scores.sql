-- The mean of the pillars that count, only if each of them has a score: leaving out a weak pillar would raise the mean.
with pillars as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.pillar_id,
        scores.weight,
        scores.coverage,
        scores.score,
        frameworks.aggregation,
        {{ to_mean('scores.score', 'frameworks.aggregation', 'frameworks.geometric_floor') }} as part
    from {{ ref('int_pillar_scores') }} as scores
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
    where scores.in_overall
),

means as (
    select
        framework_id,
        as_of_year,
        iso3,
        aggregation,
        {{ weighted_mean('part', 'weight', 'pillar_id') }} as mean,
        {{ weighted_mean('coverage', 'weight', 'pillar_id') }} as coverage,
        count(score) = count(*) as is_complete
    from pillars
    group by all
)

select
    framework_id,
    as_of_year,
    iso3,
    case when is_complete then {{ from_mean('mean', 'aggregation') }} end as score,
    coverage,
    case when not is_complete then 'pillar_missing' end as score_reason
from means
