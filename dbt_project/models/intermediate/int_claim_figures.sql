-- The figures of every test, for all members and years: one model per kind of test (seed claim_kinds).
-- Each model has one row per evidence row, variant, economy and year, with the columns claim_id, indicator_id, variant,
-- iso3, year, figure (in figure_unit of the kind, else in the unit of the indicator), provider, vintage_at, source_url,
-- and where they apply base_year, base_figure, figure_without_afg, missing.
from {{ ref('int_claim_figures_value') }}
union all by name
from {{ ref('int_claim_figures_change') }}
union all by name
from {{ ref('int_claim_figures_difference') }}
union all by name
from {{ ref('int_claim_figures_direction') }}
union all by name
from {{ ref('int_claim_figures_rank_in_edition') }}
union all by name
from {{ ref('int_claim_figures_rank_in_group') }}
union all by name
from {{ ref('int_claim_figures_regional_mean') }}
union all by name
from {{ ref('int_claim_figures_product') }}
union all by name
from {{ ref('int_claim_figures_ceiling') }}
union all by name
from {{ ref('int_claim_figures_ceiling_of_sum') }}
