-- How much of the members' outgoing collaboration on GitHub goes to other members of their group. Pairs of economies
-- below GitHub's threshold are not in the file: a member without a pair has no share. The whole table is unknown
-- before the day of its release.
with source as (
    select
        sources.title || ', ' || sources.vintage as source_title,
        sources.url as source_url,
        sources.licence,
        sources.known_from <= run.as_of::date as is_known,
        sources.known_from as dated
    from {{ ref('regional_sources') }} as sources
    cross join {{ source('landing', 'run') }} as run
    where sources.seed = 'github_collaboration'
),

years as (
    select distinct year from {{ ref('github_collaboration') }}
),

members as (
    select
        members.group_id,
        members.iso3,
        years.year,
        members.members_total,
        source.*,
        case when source.is_known then figures.collaborations end as collaborations,
        case when source.is_known and figures.within_group > 0 then figures.within_group end as within_group
    from {{ ref('int_regional_groups') }} as members
    cross join years
    cross join source
    left join {{ ref('github_collaboration') }} as figures
        on members.group_id = figures.group_id and members.iso3 = figures.iso3 and years.year = figures.year
),

without_china as (
    select
        year,
        sum(collaborations) filter (where iso3 = 'CHN') as from_china
    from members
    where group_id = 'carec'
    group by all
),

pairs as (
    select
        figures.*,
        source.*
    from {{ ref('github_collaboration_pairs') }} as figures
    cross join source
    where source.is_known
),

china_pairs as (
    select
        year,
        sum(collaborations) as collaborations
    from pairs
    where iso3 = 'CHN' or partner_iso3 = 'CHN'
    group by all
),

groups as (
    select
        group_id,
        year,
        max(members_total) as members_total,
        count(within_group) as members_with_value,
        sum(within_group) as within_group,
        sum(collaborations) as collaborations,
        bool_and(is_known) as is_known,
        max(source_title) as source_title,
        max(source_url) as source_url,
        max(licence) as licence,
        max(dated) as dated
    from members
    group by all
)

select
    'github_within_share' as measure,
    'github' as subject_id,
    group_id,
    iso3,
    null as partner_iso3,
    year,
    100 * within_group / collaborations as value,
    null as members_with_value,
    members_total,
    case
        when not is_known then 'not_known_then'
        when within_group is null then 'below_threshold'
    end as reason,
    dated,
    source_title,
    source_url,
    licence
from members
where group_id = 'carec'
union all by name
select
    'github_within_share' as measure,
    'github' as subject_id,
    group_id,
    null as iso3,
    null as partner_iso3,
    year,
    100 * within_group / collaborations as value,
    members_with_value,
    members_total,
    case
        when not is_known then 'not_known_then'
        when within_group is null then 'below_threshold'
    end as reason,
    dated,
    source_title,
    source_url,
    licence
from groups
union all by name
-- China has two fifths of the members' collaboration and next to none of it inside the region
select
    'github_within_share_ex_chn' as measure,
    'github' as subject_id,
    groups.group_id,
    null as iso3,
    null as partner_iso3,
    groups.year,
    100 * (groups.within_group - coalesce(china_pairs.collaborations, 0))
    / (groups.collaborations - without_china.from_china) as value,
    null as members_with_value,
    groups.members_total - 1 as members_total,
    case when not groups.is_known then 'not_known_then' end as reason,
    groups.dated,
    groups.source_title,
    groups.source_url,
    groups.licence
from groups
inner join without_china on groups.year = without_china.year
left join china_pairs on groups.year = china_pairs.year
where groups.group_id = 'carec'
union all by name
select
    'github_pair' as measure,
    'github' as subject_id,
    'carec' as group_id,
    iso3,
    partner_iso3,
    year,
    collaborations as value,
    null as members_with_value,
    null as members_total,
    null as reason,
    dated,
    source_title,
    source_url,
    licence
from pairs
