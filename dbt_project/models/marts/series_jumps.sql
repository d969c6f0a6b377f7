-- Every change of a member between two measurements that is larger, per year, than 99 % of the world's changes of the
-- series, and every change across a declared break, with the decision on it. Changes are on the scale g.
with changes as (
    select
        points.framework_id,
        points.indicator_id,
        points.iso3,
        lag(points.year) over series as from_year,
        points.year as to_year,
        lag(points.value) over series as from_value,
        points.value as to_value,
        {{ safe_divide('(points.g - lag(points.g) over series)', '(points.year - lag(points.year) over series)') }}
            as change_per_year,
        benchmarks.transform
    from {{ ref('int_points') }} as points
    inner join {{ ref('benchmarks') }} as benchmarks
        on points.framework_id = benchmarks.framework_id and points.indicator_id = benchmarks.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on points.indicator_id = indicators.indicator_id and not indicators.edition_index
    where points.year = points.measured_year and isfinite(points.g)
    window series as (partition by points.framework_id, points.indicator_id, points.iso3 order by points.year)
),

ranked as (
    select
        *,
        count(*) over world as world_changes,
        100 * percent_rank() over (
            partition by framework_id, indicator_id order by abs(change_per_year)
        ) as world_percentile
    from changes
    where change_per_year is not null
    window world as (partition by framework_id, indicator_id)
),

of_members as (
    select
        ranked.*,
        ranked.world_changes >= parameters.jump_min_changes
        and ranked.world_percentile > parameters.jump_percentile as is_beyond
    from ranked
    semi join {{ ref('int_members') }} as members
        on ranked.framework_id = members.framework_id and ranked.iso3 = members.iso3
    cross join {{ ref('int_parameters') }} as parameters
),

-- the break of the economy itself comes before one that applies to all
broken as (
    select
        of_members.framework_id,
        of_members.indicator_id,
        of_members.iso3,
        of_members.to_year,
        arg_min(breaks.note, { 'all': breaks.iso3 is null, 'from_year': -breaks.from_year }) as note
    from of_members
    inner join {{ ref('series_breaks') }} as breaks
        on
            of_members.indicator_id = breaks.indicator_id
            and (of_members.iso3 = breaks.iso3 or breaks.iso3 is null)
            and of_members.from_year < breaks.from_year
            and of_members.to_year >= breaks.from_year
    group by all
)

select
    of_members.framework_id,
    of_members.iso3,
    of_members.indicator_id,
    of_members.from_year,
    of_members.to_year,
    of_members.from_value,
    of_members.to_value,
    of_members.change_per_year,
    of_members.transform,
    of_members.world_changes::integer as world_changes,
    of_members.world_percentile,
    of_members.is_beyond,
    case
        when broken.iso3 is not null then 'declared_break'
        else coalesce(decisions.decision, 'undecided')
    end as decision,
    case when broken.iso3 is not null then broken.note else decisions.reason end as reason,
    case when broken.iso3 is null then decisions.source_title end as source_title,
    case when broken.iso3 is null then decisions.source_url end as source_url
from of_members
left join broken
    using (framework_id, indicator_id, iso3, to_year)
left join {{ ref('series_jump_decisions') }} as decisions
    on
        of_members.indicator_id = decisions.indicator_id
        and of_members.iso3 = decisions.iso3
        and of_members.to_year = decisions.to_year
where of_members.is_beyond or broken.iso3 is not null
order by of_members.framework_id, of_members.indicator_id, of_members.iso3, of_members.to_year
