-- Every figure with the year of its measurement: earlier than its own year if the series repeats the figure before.
-- NaN and infinity are left out.
with marked as (
    select
        observations.indicator_id,
        observations.iso3,
        observations.year,
        observations.value,
        coalesce(
            {{ is_inside_scale('observations.value', 'indicators', 'parameters.scale_end_share') }}
            and observations.value = lag(observations.value) over series,
            false
        ) as is_repeat
    from {{ ref('observations') }} as observations
    inner join {{ ref('series_repeats') }} as repeats
        on observations.indicator_id = repeats.indicator_id and repeats.is_detected
    cross join {{ ref('int_parameters') }} as parameters
    left join {{ ref('indicators') }} as indicators
        on observations.indicator_id = indicators.indicator_id
    where isfinite(observations.value)
    window series as (partition by observations.indicator_id, observations.iso3 order by observations.year)
)

select
    indicator_id,
    iso3,
    year,
    value,
    max(case when not is_repeat then year end) over (partition by indicator_id, iso3 order by year) as measured_year
from marked
union all
-- few series repeat figures: the others need no order
select
    observations.indicator_id,
    observations.iso3,
    observations.year,
    observations.value,
    observations.year as measured_year
from {{ ref('observations') }} as observations
anti join {{ ref('series_repeats') }} as repeats
    on observations.indicator_id = repeats.indicator_id and repeats.is_detected
where isfinite(observations.value)
