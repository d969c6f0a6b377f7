-- One row per framework, as-of year, indicator and scored economy: its latest value, its baseline, and whether a series
-- break separates them. An economy without figures has a row too. The years of the history have no baseline, because
-- only their levels are shown.
with cells as (
    select
        framework_indicators.framework_id,
        as_of_years.as_of_year,
        as_of_years.is_run,
        framework_indicators.indicator_id,
        as_of_years.iso3,
        indicators.edition_index,
        indicators.max_age_years,
        benchmarks.baseline_year,
        -- an edition index compares with goalposts of its own edition only; goalposts without a year hold for every one
        case when indicators.edition_index then benchmarks.baseline_year end as edition
    from {{ ref('framework_indicators') }} as framework_indicators
    inner join {{ ref('int_as_of_years') }} as as_of_years
        on framework_indicators.framework_id = as_of_years.framework_id
    inner join {{ ref('indicators') }} as indicators
        on framework_indicators.indicator_id = indicators.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on
            framework_indicators.framework_id = benchmarks.framework_id
            and framework_indicators.indicator_id = benchmarks.indicator_id
),

-- Apart, because few indicators are edition indices, and a join with the points of all would need memory for each.
edition_points as (
    select points.*
    from {{ ref('int_points') }} as points
    semi join {{ ref('indicators') }} as indicators
        on points.indicator_id = indicators.indicator_id and indicators.edition_index
),

latest as (
    select
        cells.*,
        coalesce(own.year, points.year) as latest_year,
        coalesce(own.measured_year, points.measured_year) as measured_year,
        case when own.year is null then points.value else own.value end as latest_value,
        case when points.year is not null then cells.edition is null or own.year is not null end as is_comparable
    from cells
    asof left join {{ ref('int_points') }} as points
        on
            cells.framework_id = points.framework_id
            and cells.indicator_id = points.indicator_id
            and cells.iso3 = points.iso3
            and cells.as_of_year >= points.year
    left join edition_points as own
        on
            cells.framework_id = own.framework_id
            and cells.indicator_id = own.indicator_id
            and cells.iso3 = own.iso3
            and cells.edition = own.year
            and cells.as_of_year >= own.year
),

indicators_with_data as (
    select distinct
        framework_id,
        as_of_year,
        indicator_id
    from latest
    where latest_year is not null
),

current as (
    select *
    from latest
    where is_run and latest_year is not null and not edition_index
),

-- A break without an economy applies to all economies.
last_breaks as (
    select
        current.framework_id,
        current.indicator_id,
        current.iso3,
        max(breaks.from_year) as break_year
    from current
    inner join {{ ref('series_breaks') }} as breaks
        on
            current.indicator_id = breaks.indicator_id
            and current.measured_year >= breaks.from_year
            and (current.iso3 = breaks.iso3 or breaks.iso3 is null)
    group by all
),

-- Values measured near enough to the baseline year, marked by whether they are after the last break.
near_baseline as (
    select
        current.framework_id,
        current.as_of_year,
        current.indicator_id,
        current.iso3,
        points.year,
        points.value,
        abs(points.year - current.baseline_year) as distance,
        last_breaks.break_year is not null and points.year < last_breaks.break_year as is_before_break
    from current
    cross join {{ ref('int_parameters') }} as parameters
    inner join {{ ref('int_points') }} as points
        on
            current.framework_id = points.framework_id
            and current.indicator_id = points.indicator_id
            and current.iso3 = points.iso3
            and current.as_of_year >= points.year
            and points.year = points.measured_year
            and abs(points.year - current.baseline_year) <= parameters.baseline_window_years
    left join last_breaks
        on
            current.framework_id = last_breaks.framework_id
            and current.indicator_id = last_breaks.indicator_id
            and current.iso3 = last_breaks.iso3
),

-- The nearest year; of two equally near years, the earlier one.
baselines as (
    select
        framework_id,
        as_of_year,
        indicator_id,
        iso3,
        min({ 'distance': distance, 'year': year, 'value': value }) filter (where not is_before_break) as nearest,
        bool_or(is_before_break) as is_any_before_break
    from near_baseline
    group by all
)

select
    latest.framework_id,
    latest.as_of_year,
    latest.indicator_id,
    latest.iso3,
    latest.edition_index,
    latest.latest_year,
    latest.measured_year,
    latest.latest_value,
    latest.is_comparable,
    latest.as_of_year - latest.measured_year > latest.max_age_years as is_stale,
    baselines.nearest.year as baseline_year,
    baselines.nearest.value as baseline_value,
    baselines.nearest is null and coalesce(baselines.is_any_before_break, false) as is_baseline_broken,
    indicators_with_data.indicator_id is not null as has_data
from latest
left join baselines using (framework_id, as_of_year, indicator_id, iso3)
left join indicators_with_data using (framework_id, as_of_year, indicator_id)
