-- Kind `ceiling`: an upper bound of the claimed number, the first series, times the second (a share) if one is named.
select
    figures.claim_id,
    figures.indicator_id,
    'national' as variant,
    figures.iso3,
    figures.year,
    case
        when figures.with_indicator_id is null then figures.value
        else figures.value * figures.with_scale * others.value
    end as figure,
    figures.provider,
    figures.vintage_at,
    figures.source_url
from {{ ref('int_claim_series') }} as figures
left join {{ ref('int_claim_observations') }} as others
    on
        figures.with_indicator_id = others.indicator_id
        and figures.iso3 = others.iso3
        and figures.year = others.year
where
    figures.kind = 'ceiling'
    and (figures.with_indicator_id is null or others.value is not null)
