-- Every claim with each of its series: the kind of test, and how the unit of the figure converts to that of the claim.
-- The claim takes precedence over the evidence row: if the claim has a value, a unit of change or a year, the test uses
-- it. A series with another definition is shown as it is.
-- is_across_editions: the test would compare editions of an index, which is refused. A rank that the claim itself is
-- about may be compared, because the claim says no more than that one published rank is better than another.
with chosen as (
    select
        evidence.* exclude (kind, base_year),
        evidence.base_year as evidence_base_year,
        claims.country_iso3,
        claims.unit as claim_unit,
        claims.value_year,
        claims.baseline_year,
        terms.term,
        case
            when evidence.definition_match = 'different' then coalesce(evidence.kind, 'value')
            when evidence.kind not in ('value', 'change', 'difference', 'direction') then evidence.kind
            when units.dimension in ('change', 'difference') then units.dimension
            when claims.value is not null then 'value'
            else coalesce(evidence.kind, 'value')
        end as kind
    from {{ ref('claim_evidence') }} as evidence
    inner join {{ ref('claims') }} as claims
        on evidence.claim_id = claims.claim_id
    left join {{ ref('claim_units') }} as units
        on claims.unit = units.unit
    left join {{ ref('claim_terms') }} as terms
        on evidence.claim_id = terms.claim_id
),

with_units as (
    select
        chosen.*,
        kinds.comparator as kind_comparator,
        kinds.is_level,
        not kinds.is_level and kinds.comparator is null as compares_years,
        compares_years and coalesce(indicators.edition_index, false)
        and not (indicators.unit = 'rank' and chosen.definition_match = 'same') as is_across_editions,
        indicators.direction,
        coalesce(kinds.figure_unit, indicators.unit) as figure_unit,
        with_indicators.unit as with_unit
    from chosen
    inner join {{ ref('claim_kinds') }} as kinds
        on chosen.kind = kinds.kind
    inner join {{ ref('indicators') }} as indicators
        on chosen.indicator_id = indicators.indicator_id
    left join {{ ref('indicators') }} as with_indicators
        on chosen.with_indicator_id = with_indicators.indicator_id
)

select
    with_units.claim_id,
    with_units.indicator_id,
    with_units.with_indicator_id,
    -- the factor that turns a second series, a share, into a share of 1
    shares.factor / 100 as with_scale,
    with_units.kind,
    with_units.kind_comparator,
    with_units.is_level,
    with_units.compares_years,
    with_units.is_across_editions,
    with_units.term,
    with_units.variant,
    with_units.definition_match,
    with_units.definition_note,
    with_units.direction,
    with_units.country_iso3,
    with_units.window_year as context_year,
    coalesce(with_units.value_year, with_units.window_year) as claimed_year,
    coalesce(with_units.baseline_year, with_units.evidence_base_year) as base_year,
    coalesce(claimed.dimension = measured.dimension, false) as is_same_dimension,
    -- figures are shown in the unit of the claim if they convert to it, else in their own unit
    case when claimed.dimension = measured.dimension then measured.factor / claimed.factor else 1 end as scale,
    case when claimed.dimension = measured.dimension then with_units.claim_unit else with_units.figure_unit end as unit,
    with_units.figure_unit,
    with_units.claim_unit,
    -- a tolerance in points is in the first unit of the dimension
    coalesce(
        with_units.tolerance,
        case when claimed.tolerance_basis = 'points' then claimed.tolerance / claimed.factor end
    ) as tolerance_points,
    case when with_units.tolerance is null and claimed.tolerance_basis = 'relative' then claimed.tolerance end
        as tolerance_share
from with_units
left join {{ ref('claim_units') }} as claimed
    on with_units.claim_unit = claimed.unit
left join {{ ref('claim_units') }} as measured
    on with_units.figure_unit = measured.unit
left join {{ ref('claim_units') }} as shares
    on with_units.with_unit = shares.unit
