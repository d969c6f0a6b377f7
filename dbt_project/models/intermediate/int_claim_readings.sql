-- The tests of a claim's value by series and variant, one row per reading. A reading holds only if it holds for every
-- named member that has a figure, and if enough members have one; a single member refutes it. A direction holds only if
-- it holds since every base year.
-- strength: 1 supported, 2 supported in another year (a direction: since some base years), 3 not supported.
-- definition_rank: if the term of the claim is undefined, no reading of it has precedence.
with by_member as (
    select
        question_id,
        claim_id,
        kind,
        is_ceiling,
        case when term is not null or definition_match = 'same' then 1 else 2 end as definition_rank,
        iso3,
        case when kind = 'direction' then 'national' else variant end as read_variant,
        case
            when kind = 'direction' and min(improvement) > 0 then 1
            when kind = 'direction' and max(improvement) > 0 then 2
            when kind = 'direction' then 3
            when any_value(result) = 'supported' then 1
            when any_value(result) = 'supported_other_year' then 2
            else 3
        end as strength
    from {{ ref('int_claim_tests') }}
    where
        role = 'value'
        and result in (
            'supported', 'supported_other_year', 'contradicted', 'direction_supported', 'direction_contradicted'
        )
    group by question_id, claim_id, kind, is_ceiling, definition_rank, iso3, read_variant
),

named as (
    select
        question_id,
        count(distinct iso3) as members_named
    from {{ ref('int_claim_tests') }}
    group by question_id
)

select
    by_member.question_id,
    by_member.claim_id,
    by_member.kind,
    by_member.read_variant as variant,
    by_member.is_ceiling,
    by_member.definition_rank,
    max(by_member.strength) as strength
from by_member
inner join named using (question_id)
cross join {{ ref('int_claim_parameters') }} as parameters
group by all
having
    max(by_member.strength) = 3
    or count(*) >= (any_value(parameters.min_members_share) - 1e-9) * any_value(named.members_named)
