-- One documentary verdict per claim, with its reason as codes and operands. The rule is in docs/method.md.
with counted as (
    select
        claim_id,
        role,
        count(distinct side) > 1
        or bool_or(coalesce(known_second_source = 'differs' and decides <> 'alone', false)) as is_disputed,
        any_value(side) as side,
        bool_and(is_full) as is_full,
        bool_or(bearing = 'depends_on_reading') as is_of_a_reading,
        bool_or(decides = 'alone') as is_primary,
        count(distinct site) > 1 or bool_or(coalesce(known_second_source = 'confirms', false)) as is_confirmed,
        list(
            {{ claim_part('document', kind='source_kind', date='document_day', site='site', bearing='bearing') }}
            order by known_from, site, source_url
        ) as parts
    from (
        select
            *,
            coalesce(to_json(document_date), {{ claim_part('undated') }}) as document_day
        from {{ ref('int_claim_documents') }}
    )
    group by claim_id, role
),

-- the documents that the verdict rests on: the first of these roles that the claim has
foremost as (
    select *
    from counted
    where role <> 'outweighed'
    qualify row_number() over (
        partition by claim_id
        order by list_position(['weighed', 'context', 'lead', 'statement', 'later'], role)
    ) = 1
),

judged as (
    select
        claims.claim_id,
        foremost.parts,
        case
            when foremost.role = 'weighed' and foremost.is_disputed then 'documents_disagree'
            when foremost.role = 'context' and foremost.is_of_a_reading then 'reading_open'
            when foremost.role in ('weighed', 'context') and foremost.is_primary then 'primary_source'
            when foremost.role in ('weighed', 'context') and foremost.is_confirmed then 'second_source'
            when foremost.role in ('weighed', 'context') then 'single_source'
            when foremost.role = 'lead' then 'low_confidence'
            when foremost.role = 'statement' then 'member_statement_only'
            when foremost.role = 'later' then 'later_document_only'
            else 'no_document'
        end as documentary_reason_code,
        case
            when documentary_reason_code not in ('primary_source', 'second_source', 'single_source') then 'open'
            when foremost.role = 'context' then 'context'
            when foremost.side = 'supports' and foremost.is_full then 'supported_by_document'
            when foremost.side = 'supports' then 'supported_in_part'
            when foremost.is_full then 'contradicted_by_document'
            else 'contradicted_in_part'
        end as documentary_verdict
    from {{ ref('claims') }} as claims
    left join foremost using (claim_id)
),

explained as (
    select
        claim_id,
        documentary_verdict,
        documentary_reason_code,
        [json_object('code', documentary_reason_code, 'operands', json_object())] || coalesce(parts, []) as parts
    from judged
)

select
    claim_id,
    documentary_verdict,
    documentary_reason_code,
    to_json(parts)::varchar as documentary_reason_operands,
    {{ sentence("'claim_reason'", "json_object('parts', parts)") }} as documentary_reason
from explained
