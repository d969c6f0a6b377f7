-- The observations of the series that the audit uses, with membership and income group of the economy.
with used as (
    select indicator_id from {{ ref('claim_evidence') }}
    union all
    select with_indicator_id from {{ ref('claim_evidence') }}
    union all
    select 'population_total' as indicator_id
)

select
    observations.indicator_id,
    observations.iso3,
    observations.year,
    observations.value,
    observations.provider,
    observations.vintage_at,
    observations.source_url,
    economies.is_member,
    economies.income_group
from {{ ref('observations') }} as observations
inner join {{ ref('economies') }} as economies
    on observations.iso3 = economies.iso3 and not economies.is_aggregate
semi join used
    on observations.indicator_id = used.indicator_id
