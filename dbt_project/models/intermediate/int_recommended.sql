-- The indicators that the rule of docs/method.md picks for each member of the main framework: one row per member, kind
-- and place. A member without a pick of a kind has no row of it.
with cells as (
    select
        scores.*,
        shares.share,
        economies.income_group,
        shares.share * (100 - scores.level_score) as weighted_distance
    from {{ ref('indicator_scores') }} as scores
    inner join {{ ref('int_indicator_shares') }} as shares
        on scores.framework_id = shares.framework_id and scores.indicator_id = shares.indicator_id
    inner join {{ ref('economies') }} as economies
        on scores.iso3 = economies.iso3
    where scores.framework_id = '{{ var("framework") }}'
),

-- Too slow: what is required from now on is at least twice the trend, or the change has the wrong direction.
slow as (
    select
        cells.iso3,
        cells.indicator_id,
        'pace' as kind,
        row_number() over (
            partition by cells.iso3
            order by {{ rank_key('cells.weighted_distance') }} desc, cells.indicator_id
        )::integer as place,
        cells.weighted_distance
    from cells
    cross join {{ ref('int_parameters') }} as parameters
    where parameters.recommended_pace_factor * cells.pace_ratio <= 1
    qualify place <= parameters.recommended_indicators
),

-- The best other member of the income group, for each indicator that both have a level of.
peers as (
    select
        own.iso3,
        own.indicator_id,
        'peer' as kind,
        1 as place,
        peer.iso3 as peer_iso3,
        peer.measured_year as peer_year,
        peer.latest_value as peer_value,
        peer.level_score - own.level_score as gap
    from cells as own
    inner join cells as peer
        on
            own.indicator_id = peer.indicator_id
            and own.income_group = peer.income_group
            and own.iso3 <> peer.iso3
            and own.level_score < peer.level_score
    qualify row_number() over (
        partition by own.iso3
        order by {{ rank_key('gap') }} desc, own.indicator_id, peer.iso3
    ) = 1
),

-- What other members have and this one lacks; the newest figures of others first, then the most members.
others as (
    select
        own.iso3,
        own.indicator_id,
        any_value(own.share) as share,
        max(other.measured_year) as newest_year,
        count(*)::integer as members_with_figure,
        arg_min(other.iso3, { 'age': -other.measured_year, 'iso3': other.iso3 }) as newest_iso3
    from cells as own
    inner join cells as other
        on own.indicator_id = other.indicator_id
    where
        own.level_score is null
        and other.level_score is not null
        and own.status_reason in ('no_data', 'not_covered', 'stale')
    group by own.iso3, own.indicator_id
),

missing as (
    select
        iso3,
        indicator_id,
        'report' as kind,
        1 as place,
        newest_year,
        newest_iso3,
        members_with_figure
    from others
    qualify row_number() over (
        partition by iso3
        order by newest_year desc, members_with_figure desc, {{ rank_key('share') }} desc, indicator_id
    ) = 1
)

from slow
union all by name
from peers
union all by name
from missing
