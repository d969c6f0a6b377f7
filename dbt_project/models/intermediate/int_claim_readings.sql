-- The tests of a claim's value, taken together to one reading a series and way of taking it: it holds only where it
-- holds for every member named. A direction is read against the median of its base years.
-- strength: 1 borne out, 2 borne out of another year, 3 not borne out.
with usable as (
    select
        * exclude (variant),
        case when kind = 'direction' then 'national' else variant end as variant
    from {{ ref('claim_tests') }}
    where
        role = 'value'
        and result in (
            'supported', 'supported_other_year', 'contradicted', 'direction_supported', 'direction_contradicted'
        )
),

by_member as (
    select
        claim_id,
        indicator_id,
        kind,
        definition_match,
        iso3,
        variant,
        case
            when kind = 'direction' and median(improvement) > 0 then 1
            when kind = 'direction' then 3
            when any_value(result) = 'supported' then 1
            when any_value(result) = 'supported_other_year' then 2
            else 3
        end as strength
    from usable
    group by claim_id, indicator_id, kind, definition_match, iso3, variant
)

select
    claim_id,
    indicator_id,
    kind,
    variant,
    case definition_match when 'same' then 1 else 2 end as definition_rank,
    max(strength) as strength
from by_member
group by all
