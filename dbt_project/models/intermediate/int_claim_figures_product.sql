-- Kind `product`: a number of people or things, the first series times the second, which is a share.
select
    figures.claim_id,
    figures.indicator_id,
    'national' as variant,
    figures.iso3,
    figures.year,
    figures.value * figures.with_scale * others.value as figure,
    figures.provider,
    figures.vintage_at,
    figures.source_url
from {{ ref('int_claim_series') }} as figures
inner join {{ ref('int_claim_observations') }} as others
    on
        figures.with_indicator_id = others.indicator_id
        and figures.iso3 = others.iso3
        and figures.year = others.year
where figures.kind = 'product'
