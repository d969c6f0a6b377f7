-- Kind `regional_mean`: the mean of the members, one row per variant of the seed region_variants and year.
-- Figures and populations are of the same year. The members that have a figure must be at least `min_members_share` of
-- all members, by number or by population. Members without a figure are named.
with years as (
    select distinct
        indicator_id,
        year
    from {{ ref('int_claim_observations') }}
),

member_figures as (
    select
        evidence.claim_id,
        evidence.indicator_id,
        variants.variant,
        years.year,
        members.iso3,
        figures.value,
        case when variants.is_weighted then people.value else 1 end as weight,
        figures.provider,
        figures.vintage_at,
        figures.source_url
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('region_variants') }} as variants
        on variants.variant = coalesce(evidence.variant, variants.variant)
    inner join {{ ref('economy_groups') }} as members
        on members.group_id = 'carec' and members.iso3 is distinct from variants.excluded_iso3
    inner join years
        on evidence.indicator_id = years.indicator_id
    left join {{ ref('int_claim_observations') }} as figures
        on evidence.indicator_id = figures.indicator_id and members.iso3 = figures.iso3 and years.year = figures.year
    left join {{ ref('int_claim_observations') }} as people
        on people.indicator_id = 'population_total' and members.iso3 = people.iso3 and years.year = people.year
    where evidence.kind = 'regional_mean'
)

select
    claim_id,
    indicator_id,
    variant,
    'CAREC' as iso3,
    year,
    {{ weighted_mean('value', 'weight') }} as figure,
    {{ weighted_mean("case when iso3 <> 'AFG' then value end", 'weight') }} as figure_without_afg,
    {{ names('case when value is null then iso3 end') }} as missing,
    min(provider) as provider,
    max(vintage_at) as vintage_at,
    min(source_url) as source_url
from member_figures
cross join {{ ref('int_claim_parameters') }} as parameters
group by claim_id, indicator_id, variant, year, parameters.min_members_share
having
    count(weight) = count(*)
    and sum(weight) filter (where value is not null) >= (parameters.min_members_share - 1e-9) * sum(weight)
