-- Means of groups of economies over the members that have a score, simple and weighted by population. Of the overall
-- score there is also the mean of all members with the missing ones imputed: a sensitivity, apart from the score.
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
        coalesce(scores.score, imputed.imputed_score) as imputed_score,
        coalesce(scores.score, imputed.imputed_low) as imputed_low,
        coalesce(scores.score, imputed.imputed_high) as imputed_high,
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
    left join {{ ref('imputed_scores') }} as imputed
        on
            scores.framework_id = imputed.framework_id
            and scores.iso3 = imputed.iso3
            and scores.pillar_id = 'overall'
),

means as (
    select
        framework_id,
        group_id,
        variant,
        pillar_id,
        {{ weighted_mean('score', 'weight') }} as score,
        {{ weighted_mean("case when iso3 <> 'AFG' then score end", 'weight') }} as score_without_afg,
        case
            when not bool_or(iso3 = 'AFG') then 'not_a_member'
            when not bool_or(iso3 = 'AFG' and score is not null and weight is not null) then 'no_score_of_afg'
        end as without_afg_reason,
        {% for end in ['score', 'low', 'high'] %}
        {{ weighted_mean('imputed_' ~ end, 'weight') }} as imputed_{{ end }},
        {% endfor %}
        {{ names('case when score is null then iso3 end') }} as imputed_economies,
        count(score) = count(*) as is_all_scored,
        count(imputed_score) = count(*) and count(weight) = count(*) as is_all_known,
        (count(*) filter (where score is not null and weight is not null))::integer as members_scored,
        count(*)::integer as members_total
    from members
    group by all
),

reasons as (
    select
        *,
        case
            when pillar_id <> 'overall' then 'overall_only'
            when is_all_scored then 'all_scored'
            when not is_all_known then 'too_few_pillars'
        end as imputation_reason
    from means
)

select
    framework_id,
    group_id,
    variant,
    pillar_id,
    score,
    case when without_afg_reason is null then score_without_afg end as score_without_afg,
    without_afg_reason,
    case when imputation_reason is null then imputed_score end as score_all_members_imputed,
    case when imputation_reason is null then imputed_low end as score_all_members_imputed_low,
    case when imputation_reason is null then imputed_high end as score_all_members_imputed_high,
    case when imputation_reason is null then imputed_economies end as imputed_economies,
    imputation_reason,
    members_scored,
    members_total
from reasons
order by framework_id, group_id, variant, pillar_id
