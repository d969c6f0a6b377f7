-- One row for every framework, as-of year, indicator and economy: its latest value, its baseline, and what stands
-- between them. An economy without figures has its row too.
with cells as (
    select
        framework_indicators.framework_id,
        as_of_years.as_of_year,
        framework_indicators.indicator_id,
        economies.iso3,
        indicators.edition_index,
        indicators.max_age_years,
        benchmarks.baseline_year
    from {{ ref('framework_indicators') }} as framework_indicators
    cross join {{ ref('int_as_of_years') }} as as_of_years
    cross join {{ ref('economies') }} as economies
    inner join {{ ref('indicators') }} as indicators
        on framework_indicators.indicator_id = indicators.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on
            framework_indicators.framework_id = benchmarks.framework_id
            and framework_indicators.indicator_id = benchmarks.indicator_id
    where not economies.is_aggregate
),

-- An edition index compares with goalposts of its own edition only; goalposts without a year hold for every edition.
known as (
    select
        cells.*,
        points.year,
        points.value,
        (not cells.edition_index or cells.baseline_year is null or points.year = cells.baseline_year) as is_comparable
    from cells
    inner join {{ ref('int_points') }} as points
        on
            cells.framework_id = points.framework_id
            and cells.indicator_id = points.indicator_id
            and cells.iso3 = points.iso3
            and cells.as_of_year >= points.year
),

latest as (
    select *
    from known
    qualify row_number() over (
        partition by framework_id, as_of_year, indicator_id, iso3
        order by is_comparable desc, year desc
    ) = 1
),

-- A break without an economy holds for all.
last_breaks as (
    select
        latest.framework_id,
        latest.as_of_year,
        latest.indicator_id,
        latest.iso3,
        max(breaks.from_year) as break_year
    from latest
    inner join {{ ref('series_breaks') }} as breaks
        on
            latest.indicator_id = breaks.indicator_id
            and latest.year >= breaks.from_year
            and (latest.iso3 = breaks.iso3 or breaks.iso3 is null)
    group by all
),

-- Values near enough to the baseline year, those after the last break apart from those before it.
near_baseline as (
    select
        known.*,
        known.year < last_breaks.break_year as is_before_break
    from known
    cross join {{ ref('int_parameters') }} as parameters
    left join last_breaks using (framework_id, as_of_year, indicator_id, iso3)
    where not known.edition_index and abs(known.year - known.baseline_year) <= parameters.baseline_window_years
),

baselines as (
    select *
    from near_baseline
    where is_before_break is not true
    qualify row_number() over (
        partition by framework_id, as_of_year, indicator_id, iso3
        order by abs(year - baseline_year), year
    ) = 1
),

broken_baselines as (
    select distinct
        framework_id,
        as_of_year,
        indicator_id,
        iso3
    from near_baseline
    where is_before_break
)

select
    cells.framework_id,
    cells.as_of_year,
    cells.indicator_id,
    cells.iso3,
    cells.edition_index,
    latest.year as latest_year,
    latest.value as latest_value,
    latest.is_comparable,
    cells.as_of_year - latest.year > cells.max_age_years as is_stale,
    baselines.year as baseline_year,
    baselines.value as baseline_value,
    baselines.year is null and broken_baselines.iso3 is not null as is_baseline_broken,
    count(latest.year) over (partition by cells.framework_id, cells.as_of_year, cells.indicator_id) > 0 as has_data
from cells
left join latest using (framework_id, as_of_year, indicator_id, iso3)
left join baselines using (framework_id, as_of_year, indicator_id, iso3)
left join broken_baselines using (framework_id, as_of_year, indicator_id, iso3)
