-- One row per test: a claim's value or its baseline, one series, one variant, one member.
with members as (
    select list(iso3 order by iso3) as codes
    from {{ ref('economies') }}
    where is_member
),

-- every variant of a mean has a test, also if it has no figure
asked as (
    select
        questions.* exclude (variant),
        variants.variant as asked_variant,
        variants.is_weighted,
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

-- a direction has one test per base year
answered as (
    select distinct
        question_id,
        iso3,
        variant
    from {{ ref('int_claim_judged') }}
),

tests as (
    select
        asked.* exclude (asked_variant),
        coalesce(answered.variant, asked.asked_variant, 'national') as variant,
        concat_ws('/', asked.question_id, asked.iso3, coalesce(answered.variant, asked.asked_variant, 'national'))
            as test_id
    from asked
    left join answered
        on
            asked.question_id = answered.question_id
            and asked.iso3 = answered.iso3
            and answered.variant = coalesce(asked.asked_variant, answered.variant)
),

-- series that were unknown on the as-of day
unknown as (
    select
        tests.test_id,
        list(series.indicator_id || ' (' || series.first_known_on || ')' order by series.indicator_id) as unknown_then
    from tests
    inner join {{ ref('int_claim_unknown') }} as series
        on
            tests.indicator_id = series.indicator_id
            or tests.with_indicator_id = series.indicator_id
            or (tests.is_weighted and series.indicator_id = 'population_total')
    group by tests.test_id
),

years as (
    select
        test_id,
        max(year) filter (where holds and in_window) as supporting_year,
        max(year) filter (where in_window) as window_year,
        max(year) filter (where is_stand_in) as nearby_year,
        arg_min(year, distance * 10000 + year) filter (where holds) as nearest_true_year,
        arg_min(year, distance * 10000 + year) as nearest_year,
        list(year order by year) filter (where in_window) as years_tested
    from {{ ref('int_claim_judged') }}
    group by test_id
),

-- the years of the series, whether or not a test of them is possible
held as (
    select
        claim_id,
        indicator_id,
        iso3,
        min(year) as first_held_year,
        max(year) as last_held_year
    from {{ ref('int_claim_series') }}
    group by claim_id, indicator_id, iso3
),

-- other members for which the claimed value is true, and when
elsewhere_by_member as (
    select
        judged.question_id,
        judged.iso3 || ' ' || case
            when count(*) > 1 and count(*) = max(judged.year) - min(judged.year) + 1
                then min(judged.year) || '-' || max(judged.year)
            else string_agg(judged.year, ', ' order by judged.year)
        end as member_years
    from {{ ref('int_claim_judged') }} as judged
    inner join {{ ref('int_claim_questions') }} as questions using (question_id)
    where
        judged.holds
        and questions.is_level
        and questions.definition_match <> 'different'
        and not list_contains(string_split(questions.country_iso3, ';'), judged.iso3)
    group by judged.question_id, judged.iso3
),

elsewhere as (
    select
        question_id,
        string_agg(member_years, '; ' order by member_years) as true_elsewhere
    from elsewhere_by_member
    group by question_id
),

compared as (
    select
        tests.*,
        coalesce(tests.kind_comparator = 'ceiling', false) as is_ceiling,
        tests.is_same_dimension and tests.kind <> 'direction' and tests.definition_match <> 'different'
        and not tests.is_across_editions as is_comparable,
        unknown.unknown_then,
        years.* exclude (test_id, nearest_true_year),
        years.nearest_true_year as nearest_year_that_holds,
        years.window_year is null and years.nearby_year is null
        and not (tests.year_basis = 'none' and tests.role = 'baseline') as is_outside,
        held.* exclude (claim_id, indicator_id, iso3),
        parameters.window_from,
        parameters.last_year as window_to,
        coalesce(
            years.supporting_year, years.window_year, years.nearby_year, years.nearest_true_year, years.nearest_year
        ) as evidence_year,
        elsewhere.true_elsewhere,
        indicators.origin
    from tests
    left join years using (test_id)
    left join unknown using (test_id)
    left join elsewhere using (question_id)
    left join held using (claim_id, indicator_id, iso3)
    cross join {{ ref('int_claim_parameters') }} as parameters
    inner join {{ ref('indicators') }} as indicators using (indicator_id)
)

select
    compared.* exclude (base_year),
    compared.base_year as asked_base_year,
    figures.base_year,
    figures.figure as value,
    figures.base_figure as base_value,
    figures.improvement,
    figures.figure_without_afg as value_without_afg,
    figures.missing as members_missing,
    figures.provider,
    figures.vintage_at,
    figures.source_url,
    true_figures.figure as true_value,
    true_figures.missing as true_members_missing,
    case when compared.is_comparable then figures.figure - compared.claimed end as deviation,
    case
        when compared.kind in ('change', 'difference') and compared.base_year is null then 'not_comparable'
        when figures.figure is null and compared.compares_years and compared.last_held_year is not null
            then 'no_suitable_series'
        when figures.figure is null then 'no_data'
        -- an older figure can support a claim for another year only
        when
            compared.is_outside
            and not (
                compared.is_comparable and not compared.is_ceiling and compared.nearest_year_that_holds is not null
            )
            then 'no_suitable_series'
        when compared.definition_match = 'different' or compared.is_across_editions then 'not_comparable'
        when compared.kind = 'direction' and figures.improvement > 0 then 'direction_supported'
        when compared.kind = 'direction' then 'direction_contradicted'
        when compared.claimed is null or not compared.is_same_dimension then 'not_comparable'
        when compared.is_ceiling and compared.supporting_year is not null then 'below_ceiling'
        when compared.supporting_year is not null then 'supported'
        when not compared.is_ceiling and compared.nearest_year_that_holds is not null then 'supported_other_year'
        else 'contradicted'
    end as result,
    case
        when result = 'supported' then compared.evidence_year
        when compared.is_comparable and not compared.is_ceiling then compared.nearest_year_that_holds
    end as nearest_true_year
from compared
left join {{ ref('int_claim_judged') }} as figures
    on compared.test_id = figures.test_id and compared.evidence_year = figures.year
left join {{ ref('int_claim_judged') }} as true_figures
    on compared.test_id = true_figures.test_id and compared.nearest_year_that_holds = true_figures.year
