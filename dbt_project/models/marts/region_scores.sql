-- Means of groups of economies over the members that have a score, simple and weighted by population.
with scores as (
    select
        framework_id,
        as_of_year,
        iso3,
        pillar_id,
        score
    from {{ ref('int_pillar_scores') }}
    union all by name
    select
        framework_id,
        as_of_year,
        iso3,
        'overall' as pillar_id,
        score
    from {{ ref('int_overall_scores') }}
),

population as (
    select
        observations.iso3,
        arg_max(observations.value, observations.year) as people
    from {{ ref('observations') }} as observations
    inner join {{ source('landing', 'run') }} as run
        on observations.year <= year(run.as_of)
    where observations.indicator_id = 'population_total'
    group by all
),

members as (
    select
        scores.*,
        economy_groups.group_id,
        variants.variant,
        case when variants.is_weighted then population.people else 1 end as weight
    from scores
    inner join {{ ref('int_as_of_years') }} as years
        on
            scores.framework_id = years.framework_id
            and scores.iso3 = years.iso3
            and scores.as_of_year = years.as_of_year
            and years.is_run
    inner join {{ ref('economy_groups') }} as economy_groups
        on scores.iso3 = economy_groups.iso3
    inner join {{ ref('region_variants') }} as variants
        on scores.iso3 is distinct from variants.excluded_iso3
    left join population
        on scores.iso3 = population.iso3
)

select
    framework_id,
    group_id,
    variant,
    pillar_id,
    {{ weighted_mean('score', 'weight', 'iso3') }} as score,
    -- pillars 4 and 5 of Afghanistan are nearly empty: every group has the mean without it for comparison
    {{ weighted_mean("case when iso3 <> 'AFG' then score end", 'weight', 'iso3') }} as score_without_afg,
    (count(*) filter (where score is not null and weight is not null))::integer as members_scored,
    count(*)::integer as members_total
from members
group by all
order by framework_id, group_id, variant, pillar_id
