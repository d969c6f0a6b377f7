-- Kind `direction`: the figure of the claimed year and that of every base year, one row per base year.
-- Without a claimed year: the newest figure up to `last_year`. Without a base year: the `base_years` years before it.
select
    later.claim_id,
    later.indicator_id,
    'since ' || base.year as variant,
    later.iso3,
    later.year,
    later.value as figure,
    base.year as base_year,
    base.value as base_figure,
    later.provider,
    later.vintage_at,
    later.source_url
from {{ ref('int_claim_series') }} as later
cross join {{ ref('int_claim_parameters') }} as parameters
inner join {{ ref('int_claim_observations') }} as base
    on
        later.indicator_id = base.indicator_id
        and later.iso3 = base.iso3
        and later.year > base.year
        and base.year between
        coalesce(later.base_year, later.year - parameters.base_years)
        and coalesce(later.base_year, later.year)
where
    later.kind = 'direction'
    and later.year <= coalesce(later.claimed_year, parameters.last_year)
qualify
    later.year = max(later.year) over (partition by later.claim_id, later.indicator_id, later.iso3)
    and later.year = coalesce(later.claimed_year, later.year)
