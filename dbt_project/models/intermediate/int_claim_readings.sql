-- The tests of a claim's value, taken together to one reading a series and way of taking it: it holds only where it
-- holds for every member named that has a figure, and where enough of them have one; a single member refutes it. A
-- direction is read against the median of its base years.
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
        comparator = 'ceiling' as is_ceiling,
        case
            when kind = 'direction' and median(improvement) > 0 then 1
            when kind = 'direction' then 3
            when any_value(result) = 'supported' then 1
            when any_value(result) = 'supported_other_year' then 2
            else 3
        end as strength
    from usable
    group by claim_id, indicator_id, kind, definition_match, iso3, variant, is_ceiling
),

named as (
    select
        claim_id,
        indicator_id,
        count(distinct iso3) as members_named
    from {{ ref('claim_tests') }}
    where role = 'value'
    group by claim_id, indicator_id
)

select
    by_member.claim_id,
    by_member.indicator_id,
    by_member.kind,
    by_member.variant,
    by_member.is_ceiling,
    case by_member.definition_match when 'same' then 1 else 2 end as definition_rank,
    max(by_member.strength) as strength
from by_member
inner join named
    on by_member.claim_id = named.claim_id and by_member.indicator_id = named.indicator_id
cross join {{ ref('int_claim_parameters') }} as parameters
group by all
having
    max(by_member.strength) = 3
    or count(*) >= (any_value(parameters.min_members_share) - 1e-9) * any_value(named.members_named)
