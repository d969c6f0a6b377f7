-- The changes of each vintage from the one before, one row per economy and year. Only economies in both vintages are
-- compared, from the first year of both: if a provider now begins a series later, the series was cut, and its figures
-- were not withdrawn.
-- Figures meet by the number of their pair, not by names and times: at ten vintages that is half of the memory.
with economies as (
    select
        indicator_id,
        iso3,
        vintage_number,
        vintage_at,
        max(year) as last_year,
        -- not min() over the partition: DuckDB makes a join of it, and expects far too many rows of all that follows
        first_value(min(year)) over (
            partition by indicator_id, vintage_number
            order by min(year)
        ) as first_year
    from {{ ref('int_vintages') }}
    group by indicator_id, iso3, vintage_number, vintage_at
),

with_previous as (
    select
        indicator_id,
        iso3,
        vintage_number,
        vintage_at as retrieved_at,
        lag(vintage_number) over series as previous_number,
        lag(vintage_at) over series as previous_retrieved_at,
        greatest(first_year, lag(first_year) over series) as first_year,
        least(last_year, lag(last_year) over series) as last_year
    from economies
    window series as (partition by indicator_id, iso3 order by vintage_number)
),

pairs as (
    select
        *,
        (row_number() over (order by indicator_id, retrieved_at, iso3))::integer as pair
    from with_previous
    where previous_number = vintage_number - 1 and first_year <= last_year
),

now_given as (
    select
        pairs.pair,
        figures.year,
        figures.value,
        figures.unit
    from {{ ref('int_vintages') }} as figures
    inner join pairs
        on
            figures.indicator_id = pairs.indicator_id
            and figures.vintage_number = pairs.vintage_number
            and figures.iso3 = pairs.iso3
            and figures.year >= pairs.first_year
),

given_before as (
    select
        pairs.pair,
        figures.year,
        figures.value,
        figures.unit
    from {{ ref('int_vintages') }} as figures
    inner join pairs
        on
            figures.indicator_id = pairs.indicator_id
            and figures.vintage_number = pairs.previous_number
            and figures.iso3 = pairs.iso3
            and figures.year >= pairs.first_year
),

compared as (
    select
        pair,
        year,
        given_before.value as previous_value,
        now_given.value,
        coalesce(now_given.unit, given_before.unit) as unit
    from given_before
    full outer join now_given using (pair, year)
    where given_before.value is distinct from now_given.value
)

select
    pairs.iso3,
    pairs.indicator_id,
    compared.year,
    pairs.retrieved_at,
    compared.previous_value,
    compared.value,
    pairs.previous_retrieved_at,
    case
        when compared.previous_value is null then 'added'
        when compared.value is null then 'withdrawn'
        else 'revised'
    end as kind,
    revision_size(compared.previous_value, compared.value, sizes.basis, sizes.rounding, sizes.large) as size
from compared
inner join pairs
    on compared.pair = pairs.pair
left join {{ ref('revision_sizes') }} as sizes
    on compared.unit = sizes.unit
order by pairs.indicator_id, pairs.retrieved_at, pairs.iso3, compared.year
