-- The measurements of every economy and indicator with a pace, on the indicator's own scale h: logit for a share that
-- saturates, otherwise g. A figure that the source repeats is no new point. Measurements of one segment have no
-- declared series break between them.
select
    points.framework_id,
    points.indicator_id,
    points.iso3,
    points.year,
    coalesce(points.logit, points.g) as h,
    {{ meets(
        judged('points.value', 'indicators.shape'),
        'coalesce(benchmarks.met_value, benchmarks.target_value)', 'benchmarks.floor_value', 'benchmarks.target_value'
    ) }} as is_met,
    {{ meets(
        judged('points.value', 'indicators.shape'), pace_met_value('benchmarks'),
        'benchmarks.floor_value', 'benchmarks.target_value'
    ) }} as is_pace_met,
    coalesce(
        (
            select max(breaks.from_year)
            from {{ ref('series_breaks') }} as breaks
            where
                breaks.indicator_id = points.indicator_id
                and (breaks.iso3 = points.iso3 or breaks.iso3 is null)
                and breaks.from_year <= points.year
        ), 0
    ) as segment
from {{ ref('int_points') }} as points
inner join {{ ref('indicators') }} as indicators
    on points.indicator_id = indicators.indicator_id and not coalesce(indicators.edition_index, false)
inner join {{ ref('benchmarks') }} as benchmarks
    on points.framework_id = benchmarks.framework_id and points.indicator_id = benchmarks.indicator_id
where isfinite(points.g) and points.year = points.measured_year and benchmarks.baseline_year is not null
