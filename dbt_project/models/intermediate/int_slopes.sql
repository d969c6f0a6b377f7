-- Observed change per year between baseline and latest value, on the scale g and on the indicator's own scale h (logit
-- for a share that saturates). A figure that the source repeats is no new point.
with points as (
    select
        cells.framework_id,
        cells.as_of_year,
        cells.indicator_id,
        cells.iso3,
        points.year,
        points.value,
        points.g,
        points.logit
    from {{ ref('int_cells') }} as cells
    inner join {{ ref('int_points') }} as points
        on
            cells.framework_id = points.framework_id
            and cells.indicator_id = points.indicator_id
            and cells.iso3 = points.iso3
            and points.year between cells.baseline_year and cells.measured_year
    where isfinite(points.g) and points.year = points.measured_year
),

measured as (
    select
        framework_id,
        as_of_year,
        indicator_id,
        iso3,
        list_sort(list({ 'year': year, 'value': value })) as measurements
    from points
    group by all
),

slopes as (
    select
        earlier.framework_id,
        earlier.as_of_year,
        earlier.indicator_id,
        earlier.iso3,
        count(distinct earlier.year) + 1 as points,
        sum((later.year - earlier.year) * (later.year - earlier.year)) / (count(distinct earlier.year) + 1) as spread,
        {{ slopes_of_pairs('later.g', 'earlier.g', 'later.year', 'earlier.year') }} as slopes,
        {{ slopes_of_pairs('later.logit', 'earlier.logit', 'later.year', 'earlier.year') }} as logit_slopes
    from points as earlier
    inner join points as later
        on
            earlier.framework_id = later.framework_id
            and earlier.as_of_year = later.as_of_year
            and earlier.indicator_id = later.indicator_id
            and earlier.iso3 = later.iso3
            and earlier.year < later.year
    group by all
)

select
    slopes.framework_id,
    slopes.as_of_year,
    slopes.indicator_id,
    slopes.iso3,
    slopes.points,
    slopes.spread,
    measured.measurements,
    {{ theil_sen('slopes.slopes') }} as slope,
    coalesce({{ theil_sen('slopes.logit_slopes') }}, {{ theil_sen('slopes.slopes') }}) as trend
from slopes
inner join measured
    using (framework_id, as_of_year, indicator_id, iso3)
