-- Every figure with the year of its measurement: earlier than its own year if the series repeats the figure before.
-- NaN and infinity are left out.
with figures as (
    select
        observations.indicator_id,
        observations.iso3,
        observations.year,
        observations.value,
        repeats.is_detected
        and {{ is_inside_scale('observations.value', 'indicators', 'parameters.scale_end_share') }} as can_repeat
    from {{ ref('observations') }} as observations
    cross join {{ ref('int_parameters') }} as parameters
    left join {{ ref('indicators') }} as indicators
        on observations.indicator_id = indicators.indicator_id
    left join {{ ref('series_repeats') }} as repeats
        on observations.indicator_id = repeats.indicator_id
    where isfinite(observations.value)
),

marked as (
    select
        *,
        coalesce(can_repeat and value = lag(value) over series, false) as is_repeat
    from figures
    window series as (partition by indicator_id, iso3 order by year)
)

select
    indicator_id,
    iso3,
    year,
    value,
    max(case when not is_repeat then year end) over (partition by indicator_id, iso3 order by year) as measured_year
from marked
