-- Mean, standard deviation, lowest and highest member of each group: the indicators of the Global Cybersecurity Index
-- in every edition, and the cost of remittances in every year. Members that share an end have a row each.
with figures as (
    select
        members.group_id,
        members.iso3,
        members.members_total,
        observations.indicator_id,
        observations.year,
        observations.value,
        observations.source_url,
        observations.licence
    from {{ ref('observations') }} as observations
    inner join {{ ref('int_regional_groups') }} as members
        on observations.iso3 = members.iso3 and observations.year <= year(members.as_of)
    where regexp_matches(observations.indicator_id, '^(gci_.*score|remittance_cost_pct)$')
),

spread as (
    select
        group_id,
        indicator_id,
        year,
        max(members_total) as members_total,
        count(*) as members_with_value,
        {{ exact_mean('value') }} as mean,
        stddev_pop(value order by iso3) as sd,
        min(value) as lowest,
        max(value) as highest,
        max(source_url) as source_url,
        max(licence) as licence
    from figures
    group by all
),

-- what a group has no figure of is a row too
expected as (
    select
        members.group_id,
        indicators.indicator_id,
        indicators.licence,
        max(members.members_total) as members_total
    from {{ ref('int_regional_groups') }} as members
    cross join {{ ref('indicators') }} as indicators
    where regexp_matches(indicators.indicator_id, '^(gci_.*score|remittance_cost_pct)$')
    group by all
),

prefixed as (
    select
        *,
        case when indicator_id = 'remittance_cost_pct' then 'remittance' else 'gci' end as prefix
    from spread
)

select
    prefix || '_' || unnest(['mean', 'sd']) as measure,
    indicator_id as subject_id,
    group_id,
    null as iso3,
    year,
    unnest([mean, sd]) as value,
    members_with_value,
    members_total,
    null as reason,
    indicator_id,
    source_url,
    licence
from prefixed
union all by name
select
    prefixed.prefix || case when figures.value = prefixed.lowest then '_lowest' else '_highest' end as measure,
    figures.indicator_id as subject_id,
    figures.group_id,
    figures.iso3,
    figures.year,
    figures.value,
    prefixed.members_with_value,
    prefixed.members_total,
    null as reason,
    figures.indicator_id,
    figures.source_url,
    figures.licence
from figures
inner join prefixed
    on
        figures.group_id = prefixed.group_id
        and figures.indicator_id = prefixed.indicator_id
        and figures.year = prefixed.year
where figures.group_id = 'carec' and figures.value in (prefixed.lowest, prefixed.highest)
union all by name
select
    case when expected.indicator_id = 'remittance_cost_pct' then 'remittance' else 'gci' end || '_mean' as measure,
    expected.indicator_id as subject_id,
    expected.group_id,
    null as iso3,
    null as year,
    null as value,
    0 as members_with_value,
    expected.members_total,
    'no_data' as reason,
    expected.indicator_id,
    null as source_url,
    expected.licence
from expected
anti join spread
    on expected.group_id = spread.group_id and expected.indicator_id = spread.indicator_id
