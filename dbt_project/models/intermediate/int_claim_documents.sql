-- Every document of every claim, and its part in the documentary verdict. The rule is in docs/method.md. A claim that
-- repeats another one has the same documents.
-- role: later (than the as-of day), statement (of a member), lead (low confidence), context (takes no side), outweighed
-- (a document of a kind that decides alone takes a side), weighed (decides).
with groups as (
    select
        claims.claim_id,
        coalesce(duplicates.duplicate_of, claims.claim_id) as group_id
    from {{ ref('claims') }} as claims
    left join {{ ref('claim_duplicates') }} as duplicates
        on claims.claim_id = duplicates.claim_id and duplicates.relation = 'same'
),

documents as (
    select
        groups.claim_id,
        evidence.claim_id as filed_under,
        evidence.* exclude (claim_id),
        {{ site_of('evidence.source_url') }} as site,
        kinds.decides,
        bearings.side,
        bearings.is_full,
        least(coalesce({{ last_day_of('evidence.document_date') }}, evidence.retrieved_on), evidence.retrieved_on)
            as known_from,
        run.as_of,
        -- nothing shows that a second source existed before it was read
        case when evidence.retrieved_on <= run.as_of then evidence.second_source_bearing end as known_second_source
    from {{ ref('documentary_evidence') }} as evidence
    inner join groups as filed
        on evidence.claim_id = filed.claim_id
    inner join groups using (group_id)
    inner join {{ ref('document_kinds') }} as kinds
        on evidence.source_kind = kinds.kind
    inner join {{ ref('document_bearings') }} as bearings
        on evidence.bearing = bearings.bearing
    cross join {{ source('landing', 'run') }} as run
    -- filed under both claims: once
    qualify row_number() over (
        partition by groups.claim_id, evidence.source_url
        order by evidence.claim_id = groups.claim_id desc, evidence.claim_id asc
    ) = 1
),

sorted as (
    select
        *,
        case
            when known_from > as_of then 'later'
            when decides = 'nothing' then 'statement'
            when confidence = 'low' then 'lead'
            when side is null then 'context'
            else 'weighed'
        end as part
    from documents
)

select
    * exclude (part),
    case
        when
            part = 'weighed' and decides <> 'alone'
            and bool_or(part = 'weighed' and decides = 'alone') over (partition by claim_id)
            then 'outweighed'
        else part
    end as role
from sorted
