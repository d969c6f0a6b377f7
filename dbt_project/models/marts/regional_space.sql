-- The common digital space in figures: one row per measure, subject, group, member or pair, and year. It measures the
-- region, not a member, and no score reads it.
with measures as (
    select
        'treaties' as panel,
        *
    from {{ ref('int_regional_treaties') }}
    union all by name
    select
        'github' as panel,
        *
    from {{ ref('int_regional_github') }}
    union all by name
    select
        case when subject_id = 'remittance_cost_pct' then 'remittances' else 'cybersecurity' end as panel,
        *
    from {{ ref('int_regional_spread') }}
    union all by name
    select
        'remittances' as panel,
        *
    from {{ ref('int_regional_remittances') }}
    union all by name
    select
        'convergence' as panel,
        *
    from {{ ref('int_regional_pillars') }}
    union all by name
    select
        'convergence' as panel,
        *
    from {{ ref('int_regional_convergence') }}
    union all by name
    select
        'convergence' as panel,
        *
    from {{ ref('int_regional_levels') }}
)

select
    concat_ws(
        '.',
        measures.measure,
        measures.subject_id,
        measures.group_id,
        measures.iso3,
        measures.partner_iso3,
        case when measures.panel <> 'treaties' then measures.year end
    ) as row_id,
    measures.panel,
    measures.measure,
    measures.subject_id,
    measures.group_id,
    measures.iso3,
    measures.partner_iso3,
    coalesce(measures.year, year(measures.dated))::integer as year,
    {{ finite('measures.value::double') }} as value,
    case
        when measures.measure in ('treaty_parties', 'treaty_signed_only', 'treaty_press_only', 'remittance_below_3')
            then 'members'
        when measures.measure = 'treaty_status' then 'yes_no'
        when measures.measure in ('github_within_share', 'github_within_share_ex_chn') then 'pct'
        when measures.measure = 'github_pair' then 'count'
        when
            measures.measure in ('pillar_sd', 'pillar_gap', 'pillar_lowest', 'pillar_highest', 'level_sd', 'matched_sd')
            then 'points'
        when measures.measure = 'indicator_sigma' then 'ratio'
        when measures.measure in ('indicators_tested', 'indicators_converging', 'indicators_diverging') then 'count'
        when contains(measures.measure, '_beta') then 'per_year'
        else coalesce(indicators.unit, 'pct')
    end as unit,
    measures.members_with_value::integer as members_with_value,
    measures.members_total::integer as members_total,
    measures.reason,
    measures.dated,
    case when measures.dated is not null then coalesce(measures.date_precision, 'day') end as date_precision,
    measures.indicator_id,
    coalesce(measures.source_title, indicators.origin) as source_title,
    measures.source_url,
    coalesce(measures.licence, indicators.licence) as licence
from measures
left join {{ ref('indicators') }} as indicators
    on measures.indicator_id = indicators.indicator_id
order by row_id
