-- Convergence of the members of a group in every scored indicator with a pace: between the baseline and the latest
-- value of the same members, on the scale g of the benchmark.
--
-- sigma: the standard deviation at the latest value divided by the one at the baseline; below 1 the members have come
-- closer. beta: the slope of the yearly change on the baseline value (Barro and Sala-i-Martin 1992); negative if those
-- behind move faster. Its standard error says whether it differs from 0.
with cells as (
    select
        members.group_id,
        members.iso3,
        members.members_total,
        scores.indicator_id,
        scores.pillar_id,
        scores.baseline_year,
        scores.measured_year,
        {{ to_g('scores.baseline_value', 'benchmarks.transform') }} as g0,
        {{ to_g('scores.latest_value', 'benchmarks.transform') }} as g1
    from {{ ref('int_levels') }} as scores
    inner join {{ ref('int_regional_groups') }} as members
        on scores.iso3 = members.iso3 and scores.as_of_year = year(members.as_of)
    inner join {{ ref('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id and not indicators.edition_index
    where
        scores.framework_id = '{{ var("framework") }}'
        and scores.level_score is not null
        and scores.measured_year - scores.baseline_year >= {{ var('convergence_indicator_years') }}
),

usable as (
    select
        *,
        (g1 - g0) / (measured_year - baseline_year) as yearly_change
    from cells
    where isfinite(g0) and isfinite(g1)
),

slopes as (
    select
        group_id,
        indicator_id,
        pillar_id,
        max(members_total) as members_total,
        max(measured_year) as year,
        count(*) as members_with_value,
        {{ safe_divide('stddev_pop(g1 order by iso3)', 'stddev_pop(g0 order by iso3)') }} as sigma,
        {{ beta('yearly_change', 'g0', 'iso3') }} as beta,
        {{ beta_error('yearly_change', 'g0', 'iso3') }} as beta_error
    from usable
    group by all
    having count(*) >= {{ var('convergence_min_members') }}
),

expected as (
    select distinct
        members.group_id,
        members.members_total,
        places.indicator_id
    from {{ ref('framework_indicators') }} as places
    inner join {{ ref('indicators') }} as indicators
        on places.indicator_id = indicators.indicator_id and not indicators.edition_index
    cross join {{ ref('int_regional_groups') }} as members
    where places.framework_id = '{{ var("framework") }}'
)

select
    unnest(['indicator_sigma', 'indicator_beta', 'indicator_beta_error']) as measure,
    expected.indicator_id as subject_id,
    expected.group_id,
    slopes.year,
    unnest([slopes.sigma, slopes.beta, slopes.beta_error]) as value,
    slopes.members_with_value,
    expected.members_total,
    case when slopes.indicator_id is null then 'too_few_members' end as reason,
    expected.indicator_id
from expected
left join slopes
    on expected.group_id = slopes.group_id and expected.indicator_id = slopes.indicator_id
union all by name
-- a slope within two standard errors of 0 is no evidence of either
select
    unnest(['indicators_tested', 'indicators_converging', 'indicators_diverging']) as measure,
    pillar_id as subject_id,
    group_id,
    max(year) as year,
    unnest([
        count(beta),
        count(*) filter (where beta < -2 * beta_error),
        count(*) filter (where beta > 2 * beta_error)
    ]) as value,
    null as members_with_value,
    max(members_total) as members_total,
    null as reason,
    null as indicator_id
from slopes
group by group_id, pillar_id
