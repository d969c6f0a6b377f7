-- How far apart the members are in each pillar: standard deviation and distance of the best from the last, in every
-- year of the published history; for ASEAN and the European Union in the year of the run, because they have no history.
-- Convergence is tested between two years in which the same members have a score from as many indicators at equal
-- coverage; where there are no such years, a change of the score may only be a change of its indicators.
with scores as (
    select
        'carec' as group_id,
        iso3,
        as_of_year as year,
        pillar_id,
        score,
        coverage,
        indicators_scored
    from {{ ref('pillar_history') }}
    where framework_id = '{{ var("framework") }}' and score is not null
    union all by name
    select
        members.group_id,
        scores.iso3,
        scores.as_of_year as year,
        scores.pillar_id,
        scores.score,
        scores.coverage,
        scores.indicators_scored
    from {{ ref('int_pillar_scores') }} as scores
    inner join {{ ref('int_regional_groups') }} as members
        on scores.iso3 = members.iso3 and scores.as_of_year = year(members.as_of)
    where
        members.group_id <> 'carec'
        and scores.framework_id = '{{ var("framework") }}'
        and scores.score is not null
),

totals as (
    select
        group_id,
        max(members_total) as members_total,
        max(year(as_of)) as last_year
    from {{ ref('int_regional_groups') }}
    group by all
),

spread as (
    select
        scores.group_id,
        scores.pillar_id,
        scores.year,
        count(*) as members_with_value,
        max(totals.members_total) as members_total,
        stddev_pop(scores.score order by scores.iso3) as sd,
        min(scores.score) as lowest,
        max(scores.score) as highest
    from scores
    inner join totals on scores.group_id = totals.group_id
    group by all
),

-- each member's score of an earlier year and of the last, where both rest on as many indicators
pairs as (
    select
        before.pillar_id,
        before.iso3,
        before.year as start_year,
        totals.last_year,
        before.score as start_score,
        (now.score - before.score) / (totals.last_year - before.year) as yearly_change
    from scores as before
    inner join totals on before.group_id = totals.group_id
    inner join scores as now
        on
            before.group_id = now.group_id
            and before.iso3 = now.iso3
            and before.pillar_id = now.pillar_id
            and totals.last_year = now.year
            and before.coverage = now.coverage
            and before.indicators_scored = now.indicators_scored
    where before.group_id = 'carec' and before.year <= totals.last_year - {{ var('convergence_pillar_years') }}
),

slopes as (
    select
        pillar_id,
        start_year,
        count(*) as members_with_value,
        {{ beta('yearly_change', 'start_score', 'iso3') }} as beta,
        {{ beta_error('yearly_change', 'start_score', 'iso3') }} as beta_error
    from pairs
    group by pillar_id, start_year
    having count(*) >= {{ var('convergence_min_members') }}
    -- the longest time between the two years
    qualify row_number() over (partition by pillar_id order by start_year) = 1
),

pillars as (
    select distinct pillar_id from scores
)

select
    unnest(['pillar_sd', 'pillar_gap']) as measure,
    pillar_id as subject_id,
    group_id,
    null as iso3,
    year,
    unnest([
        case when members_with_value >= {{ var('convergence_min_members') }} then sd end,
        case when members_with_value >= {{ var('convergence_min_members') }} then highest - lowest end
    ]) as value,
    members_with_value,
    members_total,
    case when members_with_value < {{ var('convergence_min_members') }} then 'too_few_members' end as reason
from spread
union all by name
select
    case when scores.score = spread.lowest then 'pillar_lowest' else 'pillar_highest' end as measure,
    scores.pillar_id as subject_id,
    scores.group_id,
    scores.iso3,
    scores.year,
    scores.score as value,
    spread.members_with_value,
    spread.members_total,
    null as reason
from scores
inner join spread
    on
        scores.group_id = spread.group_id
        and scores.pillar_id = spread.pillar_id
        and scores.year = spread.year
inner join totals
    on scores.group_id = totals.group_id and scores.year = totals.last_year
where
    scores.group_id = 'carec'
    and spread.members_with_value >= {{ var('convergence_min_members') }}
    and scores.score in (spread.lowest, spread.highest)
union all by name
select
    unnest(['pillar_beta', 'pillar_beta_error']) as measure,
    pillars.pillar_id as subject_id,
    'carec' as group_id,
    null as iso3,
    slopes.start_year as year,
    unnest([slopes.beta, slopes.beta_error]) as value,
    slopes.members_with_value,
    totals.members_total,
    case when slopes.pillar_id is null then 'coverage_differs' end as reason
from pillars
inner join totals on totals.group_id = 'carec'
left join slopes on pillars.pillar_id = slopes.pillar_id
