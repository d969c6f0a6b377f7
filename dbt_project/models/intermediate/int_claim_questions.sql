-- The questions to each series, one row per question: is the value of the claim true, and is its stated baseline true?
-- year_basis: stated (by the claim), period (by the claim), context (by the words around the claim), none.
with questions as (
    select
        evidence.*,
        'value' as role,
        claims.value as claimed,
        case when claims.comparator = 'range' then claims.baseline_value end as low,
        case
            when evidence.kind_comparator is not null then evidence.kind_comparator
            when claims.comparator = 'range' and claims.baseline_value is null then 'eq'
            else coalesce(claims.comparator, 'eq')
        end as comparator,
        case
            when claims.comparator = 'range' then coalesce(claims.baseline_year, evidence.claimed_year)
            else evidence.claimed_year
        end as first_year,
        evidence.claimed_year as last_year,
        case
            when claims.comparator = 'range' and claims.baseline_year < claims.value_year then 'period'
            when claims.value_year is not null then 'stated'
            when evidence.context_year is not null then 'context'
            else 'none'
        end as year_basis
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('claims') }} as claims
        on evidence.claim_id = claims.claim_id
    union all by name
    select
        evidence.*,
        'baseline' as role,
        claims.baseline_value as claimed,
        coalesce(claims.baseline_comparator, 'eq') as comparator,
        claims.baseline_year as first_year,
        claims.baseline_year as last_year,
        case when claims.baseline_year is null then 'none' else 'stated' end as year_basis
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('claims') }} as claims
        on evidence.claim_id = claims.claim_id
    where
        claims.baseline_value is not null
        and claims.comparator is distinct from 'range'
        and evidence.is_level
        and evidence.definition_match <> 'different'
)

select
    questions.*,
    concat_ws('/', questions.claim_id, questions.indicator_id, questions.role) as question_id,
    coalesce(questions.tolerance_points, questions.tolerance_share * abs(questions.claimed)) as tolerance
from questions
