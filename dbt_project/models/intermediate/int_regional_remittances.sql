-- The cost of sending money to each CAREC member from all countries, its latest figure; a figure older than the
-- indicator allows is shown and not counted. Figures of single corridors are not held.
with indicator as (
    select
        indicator_id,
        max_age_years,
        licence
    from {{ ref('indicators') }}
    where indicator_id = 'remittance_cost_pct'
),

latest as (
    select
        members.iso3,
        members.members_total,
        indicator.indicator_id,
        indicator.licence,
        observations.year,
        observations.value,
        observations.source_url,
        case
            when observations.value is null then 'no_data'
            when year(members.as_of) - observations.year > indicator.max_age_years then 'stale'
        end as reason
    from {{ ref('int_regional_groups') }} as members
    cross join indicator
    left join {{ ref('observations') }} as observations
        on
            members.iso3 = observations.iso3
            and indicator.indicator_id = observations.indicator_id
            and observations.year <= year(members.as_of)
    where members.group_id = 'carec'
    qualify row_number() over (partition by members.iso3 order by observations.year desc) = 1
)

select
    'remittance_cost' as measure,
    indicator_id as subject_id,
    'carec' as group_id,
    iso3,
    year,
    value,
    null as members_with_value,
    members_total,
    reason,
    indicator_id,
    licence,
    source_url
from latest
union all by name
-- the target of the Sustainable Development Goals (10.c) is less than 3 %
select
    'remittance_below_3' as measure,
    indicator_id as subject_id,
    'carec' as group_id,
    null as iso3,
    max(year) filter (where reason is null) as year,
    case when count(*) filter (where reason is null) > 0 then count(*) filter (where reason is null and value < 3) end
        as value,
    count(*) filter (where reason is null) as members_with_value,
    max(members_total) as members_total,
    case when count(*) filter (where reason is null) = 0 then 'no_data' end as reason,
    indicator_id,
    licence,
    max(source_url) as source_url
from latest
group by indicator_id, licence
union all by name
select
    'remittance_corridor' as measure,
    'corridors' as subject_id,
    'carec' as group_id,
    null as iso3,
    null as year,
    null as value,
    null as members_with_value,
    null as members_total,
    'no_corridor_series' as reason,
    null as indicator_id,
    null as licence,
    null as source_url
