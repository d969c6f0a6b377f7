-- The changes of each vintage from the one before, one row per economy and year. Only economies in both vintages are
-- compared, from the first year of both: if a provider now begins a series later, the series was cut, and its figures
-- were not withdrawn.
with vintages as (
    select
        indicator_id,
        vintage_number,
        vintage_at,
        min(year) as first_year
    from {{ ref('int_vintages') }}
    group by all
),

pairs as (
    select
        newer.indicator_id,
        newer.vintage_number,
        newer.vintage_at as retrieved_at,
        older.vintage_at as previous_retrieved_at,
        greatest(newer.first_year, older.first_year) as first_year
    from vintages as newer
    inner join vintages as older
        on newer.indicator_id = older.indicator_id and newer.vintage_number = older.vintage_number + 1
),

now_given as (
    select
        pairs.*,
        figures.iso3,
        figures.year,
        figures.value,
        figures.unit
    from pairs
    inner join {{ ref('int_vintages') }} as figures
        on pairs.indicator_id = figures.indicator_id and pairs.vintage_number = figures.vintage_number
    where figures.year >= pairs.first_year
),

given_before as (
    select
        pairs.*,
        figures.iso3,
        figures.year,
        figures.value,
        figures.unit
    from pairs
    inner join {{ ref('int_vintages') }} as figures
        on pairs.indicator_id = figures.indicator_id and pairs.vintage_number = figures.vintage_number + 1
    where figures.year >= pairs.first_year
),

economies_in_both as (
    select
        indicator_id,
        vintage_number,
        iso3
    from now_given
    intersect
    select
        indicator_id,
        vintage_number,
        iso3
    from given_before
),

compared as (
    select
        iso3,
        indicator_id,
        year,
        retrieved_at,
        given_before.value as previous_value,
        now_given.value,
        previous_retrieved_at,
        vintage_number,
        coalesce(now_given.unit, given_before.unit) as unit
    from given_before
    full outer join now_given
        using (indicator_id, vintage_number, retrieved_at, previous_retrieved_at, first_year, iso3, year)
    where given_before.value is distinct from now_given.value
)

select
    compared.iso3,
    compared.indicator_id,
    compared.year,
    compared.retrieved_at,
    compared.previous_value,
    compared.value,
    compared.previous_retrieved_at,
    case
        when compared.previous_value is null then 'added'
        when compared.value is null then 'withdrawn'
        else 'revised'
    end as kind,
    revision_size(compared.previous_value, compared.value, sizes.basis, sizes.rounding, sizes.large) as size
from compared
left join {{ ref('revision_sizes') }} as sizes
    on compared.unit = sizes.unit
semi join economies_in_both
    on
        compared.indicator_id = economies_in_both.indicator_id
        and compared.vintage_number = economies_in_both.vintage_number
        and compared.iso3 = economies_in_both.iso3
order by compared.indicator_id, compared.retrieved_at, compared.iso3, compared.year
