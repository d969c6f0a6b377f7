-- What the rule of docs/method.md recommends to each member, with its numbers and its source. If the rule finds nothing
-- of a kind, one row says so, so that no recommendation is missing without a reason.
with members as (
    select
        members.framework_id,
        members.iso3,
        economies.name,
        economies.income_group,
        unnest(['pace', 'peer', 'report']) as kind
    from {{ ref('int_members') }} as members
    inner join {{ ref('economies') }} as economies
        on members.iso3 = economies.iso3
    where members.framework_id = '{{ var("framework") }}'
),

income_groups as (
    select
        income_group,
        count(distinct iso3) as members
    from members
    group by income_group
),

picked as (
    select
        members.*,
        income_groups.members > 1 as has_peers,
        coalesce(recommended.place, 1) as place,
        recommended.indicator_id,
        recommended.weighted_distance,
        recommended.peer_iso3,
        recommended.peer_year,
        recommended.peer_value,
        recommended.gap,
        recommended.newest_year,
        recommended.members_with_figure,
        coalesce(recommended.newest_iso3, recommended.peer_iso3, members.iso3) as source_iso3,
        coalesce(recommended.newest_year, recommended.peer_year) as source_year
    from members
    left join {{ ref('int_recommended') }} as recommended
        on members.iso3 = recommended.iso3 and members.kind = recommended.kind
    left join income_groups
        on members.income_group = income_groups.income_group
),

numbered as (
    select
        picked.*,
        scores.level_score,
        scores.latest_year,
        scores.measured_year,
        scores.latest_value,
        scores.target_year,
        scores.target_value,
        scores.pace_target_value,
        scores.observed_annual_change,
        scores.required_annual_change_from_now,
        1 / nullif(scores.pace_ratio, 0) as pace_factor,
        benchmarks.transform = 'log' as is_log,
        indicators.title,
        indicators.unit,
        indicators.origin,
        peers.name as peer_name,
        sources.provider,
        sources.source_url
    from picked
    left join {{ ref('indicator_scores') }} as scores
        on
            picked.framework_id = scores.framework_id
            and picked.iso3 = scores.iso3
            and picked.indicator_id = scores.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on picked.framework_id = benchmarks.framework_id and picked.indicator_id = benchmarks.indicator_id
    left join {{ ref('indicators') }} as indicators
        on picked.indicator_id = indicators.indicator_id
    left join {{ ref('economies') }} as peers
        on picked.peer_iso3 = peers.iso3
    left join {{ ref('observations') }} as sources
        on
            picked.indicator_id = sources.indicator_id
            and picked.source_iso3 = sources.iso3
            and coalesce(picked.source_year, scores.latest_year) = sources.year
),

coded as (
    select
        *,
        case
            when kind = 'pace' and indicator_id is null then 'recommend_no_pace'
            when kind = 'pace' and pace_factor > 0 then 'recommend_pace'
            when kind = 'pace' then 'recommend_turn'
            when kind = 'peer' and not coalesce(has_peers, false) then 'recommend_no_peer'
            when kind = 'peer' and indicator_id is null then 'recommend_no_gap'
            when kind = 'peer' then 'recommend_peer'
            when indicator_id is null then 'recommend_no_report'
            when latest_year is null then 'recommend_report'
            else 'recommend_newer_report'
        end as recommendation_code,
        to_json({
            'indicator': title,
            'indicator_id': indicator_id,
            'unit': unit,
            'value': latest_value,
            'year': latest_year,
            'level': level_score,
            'target': target_value,
            'target_year': target_year,
            'pace_target': pace_target_value,
            'observed': {
                'code': case when is_log then 'change_in_percent' else 'change_in_unit' end,
                'operands': {
                    'change': case
                        when is_log then 100 * (exp(observed_annual_change) - 1) else observed_annual_change
                    end
                }
            },
            'required': {
                'code': case when is_log then 'change_in_percent' else 'change_in_unit' end,
                'operands': {
                    'change': case
                        when is_log then 100 * (exp(required_annual_change_from_now) - 1)
                        else required_annual_change_from_now
                    end
                }
            },
            'times': pace_factor,
            'points': weighted_distance,
            'peer': peer_name,
            'peer_iso3': peer_iso3,
            'peer_value': peer_value,
            'peer_year': peer_year,
            'gap': gap,
            'income_group': income_group,
            'origin': origin,
            'provider': provider,
            'newest_year': newest_year,
            'members': members_with_figure
        }) as operands
    from numbered
)

select
    framework_id,
    iso3,
    kind,
    place::integer as place,
    indicator_id,
    recommendation_code,
    {{ sentence('recommendation_code', 'operands') }} as recommendation,
    weighted_distance,
    level_score,
    latest_year,
    measured_year,
    latest_value,
    target_year,
    target_value,
    case when kind = 'pace' then pace_target_value end as pace_target_value,
    case when kind = 'pace' then observed_annual_change end as observed_annual_change,
    case when kind = 'pace' then required_annual_change_from_now end as required_annual_change_from_now,
    peer_iso3,
    peer_year::integer as peer_year,
    peer_value,
    gap,
    case when kind = 'report' then origin end as origin,
    case when kind = 'report' then provider end as provider,
    newest_year::integer as newest_year,
    members_with_figure,
    source_url,
    operands
from coded
order by framework_id, iso3, kind, place
