-- Whether equal neighbouring figures of a series are repetitions or coincidences, from the figures of all economies.
-- If two measurements agree by chance, a change of 0 is as frequent as a change of one step upwards, and as one
-- downwards. An equal pair beyond that number is a figure that the source repeated.
with figures as (
    select
        observations.indicator_id,
        observations.iso3,
        observations.year,
        observations.value,
        indicators.edition_index,
        {{ is_inside_scale('observations.value', 'indicators', 'parameters.scale_end_share') }} as is_inside,
        {{ decimal_places('observations.value', 6) }} as places,
        dense_rank() over (partition by observations.indicator_id order by observations.value) as position
    from {{ ref('observations') }} as observations
    inner join {{ ref('indicators') }} as indicators
        on observations.indicator_id = indicators.indicator_id
    inner join {{ ref('economies') }} as economies
        on observations.iso3 = economies.iso3 and not economies.is_aggregate
    cross join {{ ref('int_parameters') }} as parameters
    where isfinite(observations.value)
),

pairs as (
    select
        *,
        lag(value) over series as value_before,
        greatest(places, lag(places) over series) as pair_places,
        abs(position - lag(position) over series) as steps,
        lead(year) over series is null as is_latest
    from figures
    window series as (partition by indicator_id, iso3 order by year)
),

-- one step: to the next value that the series has anywhere, or by one unit of the last decimal place of the pair
counted as (
    select
        indicator_id,
        coalesce(bool_or(edition_index), false) as edition_index,
        count(value_before) filter (where is_inside) as pairs,
        count(*) filter (where is_inside and steps = 0) as equal_pairs,
        count(*) filter (
            where
            is_inside
            and steps > 0
            and (steps = 1 or abs(value - value_before) <= 1.000001 * power(10, -pair_places))
        ) as near_pairs,
        count(*) filter (where is_latest) as latest_figures,
        count(*) filter (where is_latest and is_inside and steps = 0) as latest_equal
    from pairs
    group by indicator_id
),

judged as (
    select
        counted.*,
        {{ safe_divide('(1 + counted.near_pairs / 2)', 'counted.equal_pairs') }} as chance_share,
        parameters.max_chance_share
    from counted
    cross join {{ ref('int_parameters') }} as parameters
)

select
    indicator_id,
    pairs::integer as pairs,
    equal_pairs::integer as equal_pairs,
    near_pairs::integer as near_pairs,
    chance_share,
    not edition_index and coalesce(chance_share <= max_chance_share, false) as is_detected,
    case
        when edition_index then 'edition_index'
        when equal_pairs = 0 then 'no_equal_pairs'
        when chance_share > max_chance_share then 'coincidence'
    end as reason,
    latest_figures::integer as latest_figures,
    latest_equal::integer as latest_equal
from judged
order by indicator_id
