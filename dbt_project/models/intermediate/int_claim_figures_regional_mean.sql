-- Kind `regional_mean`: the mean of the members, one row per variant of the seed region_variants and year.
-- Figures and populations are of the same year. The members that have a figure must be at least `min_members_share` of
-- all members, by number or by population. Members without a figure are named.
select
    evidence.claim_id,
    evidence.indicator_id,
    variants.variant,
    'CAREC' as iso3,
    years.year,
    {{ weighted_mean('figures.value', 'weights.weight', 'members.iso3') }} as figure,
    {{ weighted_mean("case when members.iso3 <> 'AFG' then figures.value end", 'weights.weight', 'members.iso3') }}
        as figure_without_afg,
    string_agg(members.iso3, ', ' order by members.iso3) filter (where figures.value is null) as missing,
    min(figures.provider) as provider,
    max(figures.vintage_at) as vintage_at,
    min(figures.source_url) as source_url
from {{ ref('int_claim_evidence') }} as evidence
cross join {{ ref('int_claim_parameters') }} as parameters
inner join {{ ref('region_variants') }} as variants
    on variants.variant = coalesce(evidence.variant, variants.variant)
inner join {{ ref('economy_groups') }} as members
    on members.group_id = 'carec' and members.iso3 is distinct from variants.excluded_iso3
inner join (select distinct indicator_id, year from {{ ref('int_claim_observations') }}) as years
    on evidence.indicator_id = years.indicator_id
left join {{ ref('int_claim_observations') }} as figures
    on evidence.indicator_id = figures.indicator_id and members.iso3 = figures.iso3 and years.year = figures.year
left join {{ ref('int_claim_observations') }} as people
    on people.indicator_id = 'population_total' and members.iso3 = people.iso3 and years.year = people.year
cross join lateral (select case when variants.is_weighted then people.value else 1 end as weight) as weights
where evidence.kind = 'regional_mean'
group by evidence.claim_id, evidence.indicator_id, variants.variant, years.year, parameters.min_members_share
having
    count(weights.weight) = count(*)
    and sum(weights.weight) filter (where figures.value is not null)
    >= (parameters.min_members_share - 1e-9) * sum(weights.weight)
