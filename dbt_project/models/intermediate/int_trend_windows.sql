-- The backtest's windows: for every measurement as the latest one, the measurements of the years before it, their trend
-- (Theil-Sen slope on the own scale h per year), and the sum of squares around their least-squares line. Over all
-- pairs of n points, the sum of (x2 - x1)^2 is n times the sum of squares around the mean.
with pairs as (
    select
        latest.framework_id,
        latest.indicator_id,
        latest.iso3,
        latest.year,
        latest.segment,
        latest.h,
        latest.is_met,
        latest.is_pace_met,
        earlier.year as earlier_year,
        earlier.is_met as earlier_met,
        earlier.is_pace_met as earlier_pace_met,
        later.year - earlier.year as years,
        later.h - earlier.h as change
    from {{ ref('int_trend_points') }} as latest
    cross join {{ ref('int_parameters') }} as parameters
    inner join {{ ref('int_trend_points') }} as earlier
        on
            latest.framework_id = earlier.framework_id
            and latest.indicator_id = earlier.indicator_id
            and latest.iso3 = earlier.iso3
            and latest.segment = earlier.segment
            and latest.year > earlier.year
            and latest.year - earlier.year <= parameters.backtest_window_years
    inner join {{ ref('int_trend_points') }} as later
        on
            latest.framework_id = later.framework_id
            and latest.indicator_id = later.indicator_id
            and latest.iso3 = later.iso3
            and latest.segment = later.segment
            and earlier.year < later.year
            and latest.year >= later.year
),

sums as (
    select
        framework_id,
        indicator_id,
        iso3,
        year,
        any_value(segment) as segment,
        any_value(h) as h,
        any_value(is_met) as is_met,
        any_value(is_pace_met) as is_pace_met,
        min_by(earlier_met, earlier_year) as was_met,
        min_by(earlier_pace_met, earlier_year) as was_pace_met,
        count(distinct earlier_year) + 1 as points,
        list_sort(list(change / years)) as slopes,
        sum(years * years) as xx,
        {{ exact_sum('years * change') }} as xy,
        {{ exact_sum('change * change') }} as yy
    from pairs
    group by framework_id, indicator_id, iso3, year
)

select
    * exclude (slopes, xx, xy, yy),
    {{ theil_sen('slopes') }} as trend,
    xx / points as spread,
    case when points > 2 then greatest(yy - xy * xy / xx, 0) / points end as residual_squares
from sums
