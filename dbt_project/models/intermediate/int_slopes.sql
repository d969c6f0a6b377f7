-- Observed change a year between baseline and latest value, on the scale g and, where the shape saturates, in logit.
-- A figure that the source repeats counts once.
with points as (
    select
        cells.framework_id,
        cells.as_of_year,
        cells.indicator_id,
        cells.iso3,
        points.year,
        points.g,
        points.logit
    from {{ ref('int_cells') }} as cells
    inner join {{ ref('int_points') }} as points
        on
            cells.framework_id = points.framework_id
            and cells.indicator_id = points.indicator_id
            and cells.iso3 = points.iso3
            and points.year between cells.baseline_year and cells.latest_year
    where isfinite(points.g)
    qualify row_number() over (
        partition by cells.framework_id, cells.as_of_year, cells.indicator_id, cells.iso3, points.measured_year
        order by points.year
    ) = 1
)

select
    earlier.framework_id,
    earlier.as_of_year,
    earlier.indicator_id,
    earlier.iso3,
    count(distinct earlier.year) + 1 as points,
    {{ theil_sen('later.g', 'earlier.g', 'later.year', 'earlier.year') }} as slope,
    {{ theil_sen('later.logit', 'earlier.logit', 'later.year', 'earlier.year') }} as logit_slope
from points as earlier
inner join points as later
    on
        earlier.framework_id = later.framework_id
        and earlier.as_of_year = later.as_of_year
        and earlier.indicator_id = later.indicator_id
        and earlier.iso3 = later.iso3
        and earlier.year < later.year
group by all
