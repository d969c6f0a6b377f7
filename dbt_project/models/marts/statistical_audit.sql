-- The audit in one long table: see docs/method.md, "Statistical audit".
with statistics as (
    select * from {{ ref('int_audit_reliability') }}
    union all by name
    select * from {{ ref('int_audit_correlations') }}
    union all by name
    select * from {{ ref('int_audit_influence') }}
    union all by name
    select * from {{ ref('int_audit_income') }}
)

select
    framework_id,
    population,
    statistic,
    subject,
    other_subject,
    {{ finite('value::double') }} as value,
    n::integer as n,
    case when value is null or not isfinite(value::double) then coalesce(reason, 'constant') end as reason
from statistics
order by framework_id, population, statistic, subject, other_subject
