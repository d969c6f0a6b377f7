-- Convergence of the CAREC members over the years, like with like: levels of indicators with a pace, and pillar scores
-- on the indicators that neighbouring years have in common (matched_change). The members compared are the same in every
-- year: those with a measured figure in the first and in the last year. The last year is the newest one with enough
-- members; the first one has the most of these members, and is the earliest such year.
with measured as (
    select
        'level' as prefix,
        points.indicator_id as subject_id,
        points.iso3,
        points.year,
        {{ level_score(
            'points.g',
            to_g('benchmarks.floor_value', 'benchmarks.transform'),
            to_g('benchmarks.target_value', 'benchmarks.transform')
        ) }} as value
    from {{ ref('int_points') }} as points
    inner join {{ ref('benchmarks') }} as benchmarks
        on points.framework_id = benchmarks.framework_id and points.indicator_id = benchmarks.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on points.indicator_id = indicators.indicator_id and not indicators.edition_index
    -- a figure that the source repeats is no measurement
    where points.framework_id = '{{ var("framework") }}' and points.measured_year = points.year
    union all by name
    (
        select
            'matched' as prefix,
            pillar_id as subject_id,
            iso3,
            year,
            chained_score as value
        from {{ ref('matched_change') }}
        where framework_id = '{{ var("framework") }}' and pillar_id <> 'overall' and chained_score is not null
        qualify chain_start = max(chain_start) over (partition by pillar_id, iso3)
    )
),

figures as (
    select
        measured.prefix,
        measured.subject_id,
        measured.iso3,
        measured.year,
        measured.value,
        members.members_total
    from measured
    inner join {{ ref('int_regional_groups') }} as members
        on measured.iso3 = members.iso3 and members.group_id = 'carec'
    inner join {{ ref('int_frameworks') }} as frameworks
        on frameworks.framework_id = '{{ var("framework") }}'
    where
        measured.value is not null
        and measured.year between frameworks.history_from and year(members.as_of)
),

full_years as (
    select
        prefix,
        subject_id,
        year
    from figures
    group by all
    having count(*) >= {{ var('convergence_min_members') }}
),

last_years as (
    select
        prefix,
        subject_id,
        max(year) as year
    from full_years
    group by all
),

candidates as (
    select
        first.prefix,
        first.subject_id,
        first.year as first_year,
        last_years.year as last_year,
        list(first.iso3 order by first.iso3) as members
    from figures as first
    inner join last_years using (prefix, subject_id)
    inner join figures as last
        on
            first.prefix = last.prefix
            and first.subject_id = last.subject_id
            and first.iso3 = last.iso3
            and last_years.year = last.year
    where first.year <= last_years.year - {{ var('convergence_pillar_years') }}
    group by all
    having count(*) >= {{ var('convergence_min_members') }}
),

spans as (
    select *
    from candidates
    qualify row_number() over (partition by prefix, subject_id order by len(members) desc, first_year asc) = 1
),

panels as (
    select
        figures.*,
        spans.first_year,
        spans.last_year,
        len(spans.members) as members_compared
    from figures
    inner join spans
        on
            figures.prefix = spans.prefix
            and figures.subject_id = spans.subject_id
            and figures.year between spans.first_year and spans.last_year
            and list_contains(spans.members, figures.iso3)
),

ends as (
    select
        first.prefix,
        first.subject_id,
        first.iso3,
        first.first_year,
        first.members_compared,
        first.members_total,
        first.value as start_value,
        (last.value - first.value) / (first.last_year - first.first_year) as yearly_change
    from panels as first
    inner join panels as last
        on
            first.prefix = last.prefix
            and first.subject_id = last.subject_id
            and first.iso3 = last.iso3
            and first.year = first.first_year
            and last.year = last.last_year
),

slopes as (
    select
        prefix,
        subject_id,
        first_year,
        members_compared,
        max(members_total) as members_total,
        {{ beta('yearly_change', 'start_value', 'iso3') }} as beta,
        {{ beta_error('yearly_change', 'start_value', 'iso3') }} as beta_error
    from ends
    group by all
),

members as (
    select any_value(members_total) as members_total
    from {{ ref('int_regional_groups') }}
    where group_id = 'carec'
),

subjects as (
    select
        'level' as prefix,
        places.indicator_id as subject_id
    from {{ ref('framework_indicators') }} as places
    inner join {{ ref('indicators') }} as indicators
        on places.indicator_id = indicators.indicator_id and not indicators.edition_index
    where places.framework_id = '{{ var("framework") }}'
    union all by name
    select
        'matched' as prefix,
        pillar_id as subject_id
    from {{ ref('int_pillars') }}
    where framework_id = '{{ var("framework") }}' and in_overall
)

-- a year in which one of these members has no figure is left out
select
    prefix || '_sd' as measure,
    subject_id,
    'carec' as group_id,
    year,
    stddev_samp(value order by iso3) as value,
    members_compared as members_with_value,
    max(members_total) as members_total,
    null as reason,
    case when prefix = 'level' then subject_id end as indicator_id
from panels
group by all
having count(*) = members_compared
union all by name
select
    prefix || '_' || unnest(['beta', 'beta_error']) as measure,
    subject_id,
    'carec' as group_id,
    first_year as year,
    unnest([beta, beta_error]) as value,
    members_compared as members_with_value,
    members_total,
    null as reason,
    case when prefix = 'level' then subject_id end as indicator_id
from slopes
union all by name
select
    missing.prefix || '_sd' as measure,
    missing.subject_id,
    'carec' as group_id,
    null as year,
    null as value,
    0 as members_with_value,
    members.members_total,
    'too_few_members' as reason,
    case when missing.prefix = 'level' then missing.subject_id end as indicator_id
from subjects as missing
anti join spans
    on missing.prefix = spans.prefix and missing.subject_id = spans.subject_id
cross join members
