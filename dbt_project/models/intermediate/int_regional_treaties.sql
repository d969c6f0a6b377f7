-- Who is a party to which instrument, from dated actions and the lists that were read. An action after the as-of day is
-- not used. A name beyond the end of a cut list, or known from the press alone, has no value; a name that the list read
-- lacks has the value 0. Only CAREC and the groups whose names were read have members' rows.
with actions as (
    select
        actions.instrument_id,
        actions.iso3,
        actions.action,
        actions.action_date,
        actions.date_precision,
        actions.source_url
    from {{ ref('treaty_actions') }} as actions
    cross join {{ source('landing', 'run') }} as run
    where actions.action_date is null or actions.action_date <= run.as_of::date
    qualify
        row_number() over (
            partition by actions.instrument_id, actions.iso3 order by actions.action_date desc nulls last
        ) = 1
),

members as (
    select
        instruments.instrument_id,
        instruments.title,
        members.group_id,
        members.iso3,
        members.members_total,
        case
            when actions.action in ('accession', 'approval', 'ratification', 'tests_passed') then 1
            when actions.action in ('not_seen', 'reported') then null
            else 0
        end as value,
        case
            when actions.action is null then 'not_listed'
            when actions.action = 'signature' then 'signed_only'
            when actions.action = 'interconnected' then 'tests_open'
            when actions.action = 'reported' then 'press_only'
            when actions.action = 'not_seen' then 'list_cut'
        end as reason,
        coalesce(
            actions.action_date,
            case when instruments.list_date <= members.as_of then instruments.list_date end
        ) as dated,
        coalesce(actions.date_precision, instruments.list_precision) as precision,
        coalesce(actions.source_url, instruments.list_url) as source_url
    from {{ ref('treaty_instruments') }} as instruments
    inner join {{ ref('int_regional_groups') }} as members
        on list_contains(string_split(instruments.groups_read, ';'), members.group_id)
    left join actions
        on instruments.instrument_id = actions.instrument_id and members.iso3 = actions.iso3
),

counts as (
    select
        instrument_id,
        title,
        group_id,
        max(members_total) as members_total,
        count(value) as members_with_value,
        count(*) filter (where value = 1) as parties,
        count(*) filter (where reason = 'signed_only') as signed_only,
        count(*) filter (where reason = 'press_only') as press_only,
        max(dated) as dated
    from members
    group by all
)

select
    'treaty_status' as measure,
    instrument_id as subject_id,
    group_id,
    iso3,
    value,
    null::integer as members_with_value,
    members_total,
    reason,
    dated,
    case when dated is not null then precision end as date_precision,
    title as source_title,
    source_url
from members
union all by name
select
    unnest(['treaty_parties', 'treaty_signed_only', 'treaty_press_only']) as measure,
    counts.instrument_id as subject_id,
    counts.group_id,
    unnest([counts.parties, counts.signed_only, counts.press_only]) as value,
    counts.members_with_value,
    counts.members_total,
    counts.dated,
    case when counts.dated = instruments.list_date then instruments.list_precision end as date_precision,
    counts.title as source_title,
    instruments.list_url as source_url
from counts
inner join {{ ref('treaty_instruments') }} as instruments
    on counts.instrument_id = instruments.instrument_id
union all by name
-- the groups whose names were not looked for
select distinct
    'treaty_parties' as measure,
    instruments.instrument_id as subject_id,
    members.group_id,
    members.members_total,
    'list_not_read' as reason,
    instruments.title as source_title,
    instruments.list_url as source_url
from {{ ref('treaty_instruments') }} as instruments
inner join {{ ref('int_regional_groups') }} as members
    on not list_contains(string_split(instruments.groups_read, ';'), members.group_id)
