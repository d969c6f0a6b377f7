-- One row a test: a claim's value, or its baseline, against one series, in one way of reading it, for one member.
with members as (
    select list(iso3 order by iso3) as codes
    from {{ ref('economies') }}
    where is_member
),

asked as (
    select
        questions.* exclude (variant),
        -- every way of taking a mean is asked for, also where no figure answers
        variants.variant as asked_variant,
        unnest(case
            when questions.kind = 'regional_mean' then ['CAREC']
            when questions.country_iso3 = 'CAREC' then members.codes
            else string_split(questions.country_iso3, ';')
        end) as iso3
    from {{ ref('int_claim_questions') }} as questions
    cross join members
    left join {{ ref('region_variants') }} as variants
        on questions.kind = 'regional_mean' and variants.variant = coalesce(questions.variant, variants.variant)
),

-- series of which nothing was known on the as-of day
not_known as (
    select
        asked.claim_id,
        asked.indicator_id,
        asked.role,
        asked.asked_variant,
        string_agg(distinct series.indicator_id || ' (' || series.first_known_on || ')', ', ') as told
    from asked
    left join {{ ref('region_variants') }} as variants
        on asked.asked_variant = variants.variant
    inner join {{ ref('int_claim_unknown') }} as series
        on
            asked.indicator_id = series.indicator_id
            or asked.with_indicator_id = series.indicator_id
            or (variants.is_weighted and series.indicator_id = 'population_total')
    group by asked.claim_id, asked.indicator_id, asked.role, asked.asked_variant
),

tested as (
    select
        asked.claim_id,
        asked.indicator_id,
        asked.role,
        asked.iso3,
        asked.asked_variant,
        judged.variant,
        max(judged.year) filter (where judged.holds and judged.in_window) as supporting_year,
        max(judged.year) filter (where judged.in_window) as window_year,
        max(judged.year) filter (where judged.is_stand_in) as stand_in_year,
        arg_min(judged.year, judged.distance * 10000 + judged.year) filter (where judged.holds) as nearest_true_year,
        arg_min(judged.year, judged.distance * 10000 + judged.year) as nearest_year,
        string_agg(judged.year, ', ' order by judged.year) filter (where judged.in_window) as years_tested
    from asked
    left join {{ ref('int_claim_judged') }} as judged
        on
            asked.claim_id = judged.claim_id
            and asked.indicator_id = judged.indicator_id
            and asked.role = judged.role
            and asked.iso3 = judged.iso3
            and judged.variant = coalesce(asked.asked_variant, judged.variant)
    group by asked.claim_id, asked.indicator_id, asked.role, asked.iso3, asked.asked_variant, judged.variant
),

-- of whom else it is true, and when
elsewhere_by_member as (
    select
        judged.claim_id,
        judged.indicator_id,
        judged.role,
        judged.iso3 || ' ' || case
            when count(*) > 1 and count(*) = max(judged.year) - min(judged.year) + 1
                then min(judged.year) || '-' || max(judged.year)
            else string_agg(judged.year, ', ' order by judged.year)
        end as told
    from {{ ref('int_claim_judged') }} as judged
    inner join {{ ref('int_claim_evidence') }} as evidence
        on judged.claim_id = evidence.claim_id and judged.indicator_id = evidence.indicator_id
    where
        judged.holds
        and evidence.is_level
        and evidence.definition_match <> 'different'
        and not list_contains(string_split(evidence.country_iso3, ';'), judged.iso3)
    group by judged.claim_id, judged.indicator_id, judged.role, judged.iso3
),

elsewhere as (
    select
        claim_id,
        indicator_id,
        role,
        string_agg(told, '; ' order by told) as true_elsewhere
    from elsewhere_by_member
    group by all
),

chosen as (
    select
        *,
        coalesce(supporting_year, window_year, stand_in_year, nearest_true_year, nearest_year) as evidence_year
    from tested
),

compared as (
    select
        asked.claim_id,
        asked.indicator_id,
        asked.role,
        asked.kind,
        coalesce(chosen.variant, asked.asked_variant, 'national') as variant,
        asked.iso3,
        asked.comparator,
        asked.claimed,
        asked.low,
        asked.unit,
        asked.claim_unit,
        asked.figure_unit,
        asked.is_same_dimension,
        asked.definition_match,
        asked.definition_note,
        asked.year_basis,
        coalesce(asked.kind_comparator = 'ceiling', false) as is_ceiling,
        case
            when asked.kind = 'rank_in_group' then asked.indicator_id || ' within the income group'
            when asked.kind in ('change', 'difference')
                then 'change of ' || asked.indicator_id || coalesce(' since ' || asked.base_year, '')
            when asked.kind = 'ceiling_of_sum' then concat_ws(' + ', asked.indicator_id, asked.with_indicator_id)
            else concat_ws(' x ', asked.indicator_id, asked.with_indicator_id)
        end as series,
        not_known.told as unknown_then,
        asked.last_year,
        asked.base_year as asked_base_year,
        chosen.years_tested,
        figures.figure as value,
        chosen.evidence_year,
        figures.base_year,
        figures.base_figure as base_value,
        figures.improvement,
        figures.figure_without_afg as value_without_afg,
        figures.missing as members_missing,
        asked.is_same_dimension and asked.kind <> 'direction' and asked.definition_match <> 'different'
            as is_comparable,
        chosen.nearest_true_year,
        true_figures.figure as true_value,
        true_figures.missing as true_members_missing,
        figures.figure - asked.claimed as difference,
        asked.tolerance as allowed,
        elsewhere.true_elsewhere,
        indicators.origin,
        figures.provider,
        figures.vintage_at,
        figures.source_url,
        case
            when asked.kind in ('change', 'difference') and asked.base_year is null then 'not_comparable'
            when figures.figure is null then 'no_data'
            when asked.definition_match = 'different' then 'not_comparable'
            when asked.kind = 'direction' and figures.improvement > 0 then 'direction_supported'
            when asked.kind = 'direction' then 'direction_contradicted'
            when asked.claimed is null or not asked.is_same_dimension then 'not_comparable'
            when is_ceiling and chosen.supporting_year is not null then 'below_ceiling'
            when chosen.supporting_year is not null then 'supported'
            when not is_ceiling and chosen.nearest_true_year is not null then 'supported_other_year'
            when asked.year_basis = 'none' and asked.role = 'baseline' then 'contradicted'
            when chosen.window_year is null and chosen.stand_in_year is null then 'no_data'
            else 'contradicted'
        end as result
    from asked
    inner join chosen
        on
            asked.claim_id = chosen.claim_id
            and asked.indicator_id = chosen.indicator_id
            and asked.role = chosen.role
            and asked.iso3 = chosen.iso3
            and asked.asked_variant is not distinct from chosen.asked_variant
    left join not_known
        on
            asked.claim_id = not_known.claim_id
            and asked.indicator_id = not_known.indicator_id
            and asked.role = not_known.role
            and asked.asked_variant is not distinct from not_known.asked_variant
    left join {{ ref('int_claim_judged') }} as figures
        on
            chosen.claim_id = figures.claim_id
            and chosen.indicator_id = figures.indicator_id
            and chosen.role = figures.role
            and chosen.iso3 = figures.iso3
            and chosen.variant = figures.variant
            and chosen.evidence_year = figures.year
    left join {{ ref('int_claim_judged') }} as true_figures
        on
            chosen.claim_id = true_figures.claim_id
            and chosen.indicator_id = true_figures.indicator_id
            and chosen.role = true_figures.role
            and chosen.iso3 = true_figures.iso3
            and chosen.variant = true_figures.variant
            and chosen.nearest_true_year = true_figures.year
    left join elsewhere
        on
            chosen.claim_id = elsewhere.claim_id
            and chosen.indicator_id = elsewhere.indicator_id
            and chosen.role = elsewhere.role
    inner join {{ ref('indicators') }} as indicators
        on asked.indicator_id = indicators.indicator_id
),

judged_tests as (
    select
        * exclude (nearest_true_year),
        case when is_comparable then difference end as deviation,
        case when is_comparable then allowed end as tolerance,
        case
            when result = 'supported' then evidence_year
            when is_comparable and not is_ceiling then nearest_true_year
        end as nearest_true_year
    from compared
)

select
    claim_id,
    indicator_id,
    role,
    kind,
    variant,
    iso3,
    result,
    {{ claim_told() }} as reason,
    claimed,
    comparator,
    value,
    unit,
    evidence_year,
    year_basis,
    years_tested,
    base_year,
    base_value,
    improvement,
    value_without_afg,
    members_missing,
    deviation,
    tolerance,
    nearest_true_year,
    true_elsewhere,
    definition_match,
    definition_note,
    origin,
    provider,
    vintage_at,
    source_url,
    unknown_then
from judged_tests
order by claim_id asc, role desc, indicator_id asc, variant asc, iso3 asc
