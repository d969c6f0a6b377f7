-- Kind `change`: the change since the base year in per cent of the base figure. Without a base year it has no rows.
select
    later.claim_id,
    later.indicator_id,
    'national' as variant,
    later.iso3,
    later.year,
    100 * {{ safe_divide('(later.value - base.value)', 'base.value') }} as figure,
    base.year as base_year,
    base.value as base_figure,
    later.provider,
    later.vintage_at,
    later.source_url
from {{ ref('int_claim_series') }} as later
inner join {{ ref('int_claim_observations') }} as base
    on
        later.indicator_id = base.indicator_id
        and later.iso3 = base.iso3
        and later.base_year = base.year
        and later.year > base.year
where later.kind = 'change'
