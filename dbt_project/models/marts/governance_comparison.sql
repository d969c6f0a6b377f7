-- How CAREC, ASEAN and the European Union govern their digital strategies, from documents. A document after the as-of
-- day is not used.
with known as (
    select
        findings.*,
        coalesce(findings.document_date <= run.as_of::date, true) as is_known
    from {{ ref('governance_findings') }} as findings
    cross join {{ source('landing', 'run') }} as run
)

select
    aspect,
    group_id,
    case when is_known then answer end as answer,
    case when is_known then finding end as finding,
    case when is_known then source_title end as source_title,
    case when is_known then source_url end as source_url,
    case when is_known then document_date end as document_date,
    case when is_known then reason else 'not_known_then' end as reason
from known
order by
    list_position(['common_targets', 'owner', 'yearly_report', 'binding_rules', 'measured_integration'], aspect),
    list_position(['carec', 'asean', 'eu27'], group_id)
