-- Which indicators entered and left a pillar, or the pillars that count, since the year before, which have two levels
-- that do not compare, and which compare across an undecided jump. All are empty in the first year of a history.
with changed as (
    select
        framework_id,
        iso3,
        as_of_year,
        pillar_id,
        indicator_id,
        case
            when is_first_year or level is not null and level_before is not null and is_common then 'same'
            when level is not null and level_before is not null then 'not_compared'
            when level is not null then 'entered'
            when level_before is not null then 'left'
        end as change,
        is_common and is_jumped and not is_first_year as is_jumped
    from {{ ref('int_matched_levels') }}
),

placed as (
    select * from changed
    union all by name
    select changed.* replace ('overall' as pillar_id)
    from changed
    inner join {{ ref('int_pillars') }} as pillars
        on changed.framework_id = pillars.framework_id and changed.pillar_id = pillars.pillar_id
    where pillars.in_overall
)

select
    framework_id,
    iso3,
    as_of_year,
    pillar_id,
    {{ names("case when change = 'entered' then indicator_id end") }} as indicators_entered,
    {{ names("case when change = 'left' then indicator_id end") }} as indicators_left,
    {{ names("case when change = 'not_compared' then indicator_id end") }} as indicators_not_compared,
    {{ names('case when is_jumped then indicator_id end') }} as indicators_jumped
from placed
group by all
