-- The level of every indicator at the end of a year and at the end of the year before, for the members. The two levels
-- compare if both exist and measure alike: no series break lies between their figures, and the indicator is not an
-- edition index, whose level changes only with the edition.
with levels as (
    select
        scores.framework_id,
        scores.iso3,
        scores.as_of_year,
        scores.pillar_id,
        scores.subtheme_id,
        scores.indicator_id,
        scores.weight,
        scores.measured_year,
        scores.level_score as level
    from {{ ref('int_levels') }} as scores
    semi join {{ ref('int_members') }} as members
        on scores.framework_id = members.framework_id and scores.iso3 = members.iso3
),

pairs as (
    select
        now.*,
        before.level as level_before,
        before.measured_year as measured_year_before,
        before.as_of_year is null as is_first_year
    from levels as now
    left join levels as before
        on
            now.framework_id = before.framework_id
            and now.iso3 = before.iso3
            and now.indicator_id = before.indicator_id
            and now.as_of_year - 1 = before.as_of_year
),

broken as (
    select distinct
        pairs.framework_id,
        pairs.iso3,
        pairs.as_of_year,
        pairs.indicator_id
    from pairs
    inner join {{ ref('series_breaks') }} as breaks
        on
            pairs.indicator_id = breaks.indicator_id
            and pairs.measured_year >= breaks.from_year
            and pairs.measured_year_before < breaks.from_year
            and (pairs.iso3 = breaks.iso3 or breaks.iso3 is null)
),

-- a change that lies outside of the world's usual ones, with no decision on whether it is real
jumped as (
    select distinct
        pairs.framework_id,
        pairs.iso3,
        pairs.as_of_year,
        pairs.indicator_id
    from pairs
    inner join {{ ref('series_jumps') }} as jumps
        on
            pairs.framework_id = jumps.framework_id
            and pairs.indicator_id = jumps.indicator_id
            and pairs.iso3 = jumps.iso3
            and pairs.measured_year >= jumps.to_year
            and pairs.measured_year_before <= jumps.from_year
    where jumps.decision = 'undecided'
)

select
    pairs.*,
    coalesce(indicators.edition_index, false) as edition_index,
    broken.indicator_id is not null as is_broken,
    pairs.level is not null
    and pairs.level_before is not null
    and broken.indicator_id is null
    and not coalesce(indicators.edition_index, false) as is_common,
    jumped.indicator_id is not null as is_jumped
from pairs
inner join {{ ref('indicators') }} as indicators
    on pairs.indicator_id = indicators.indicator_id
left join broken
    on
        pairs.framework_id = broken.framework_id
        and pairs.iso3 = broken.iso3
        and pairs.as_of_year = broken.as_of_year
        and pairs.indicator_id = broken.indicator_id
left join jumped
    on
        pairs.framework_id = jumped.framework_id
        and pairs.iso3 = jumped.iso3
        and pairs.as_of_year = jumped.as_of_year
        and pairs.indicator_id = jumped.indicator_id
