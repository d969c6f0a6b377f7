-- One verdict per claim. The series with the best definition decides. If the review leaves the reading open (a variant
-- of a mean, a kind of coverage), the reading that supports the claim counts, and the reason names the others.
with best_definition as (
    select
        claim_id,
        min(definition_rank) as definition_rank
    from {{ ref('int_claim_readings') }}
    group by claim_id
),

deciding as (
    select
        readings.question_id,
        readings.variant,
        readings.strength,
        -- a number above its ceiling is contradicted, also if another reading supports it
        case
            when bool_or(readings.is_ceiling) over claim then 3
            else min(readings.strength) over claim
        end as claim_strength
    from {{ ref('int_claim_readings') }} as readings
    inner join best_definition using (claim_id, definition_rank)
    window claim as (partition by readings.claim_id)
),

tests as (
    select
        tests.*,
        deciding.strength,
        deciding.claim_strength,
        deciding.question_id is not null as is_deciding,
        {{ sentence("'claim_reason'", "json_object('parts', [" ~ claim_reason_for("''") ~ "])") }} as wording
    from {{ ref('int_claim_reasons') }} as tests
    left join deciding
        on
            tests.question_id = deciding.question_id
            and (tests.variant = deciding.variant or tests.kind = 'direction')
            and tests.result not in ('no_data', 'not_comparable', 'below_ceiling')
),

-- members with the same wording share one part
parts as (
    select
        claim_id,
        {{ claim_reason_for('list(iso3 order by iso3)', 'first(reason order by iso3)') }} as part,
        case when is_deciding and strength = claim_strength then 1 when is_deciding then 2 else 3 end as precedence,
        role,
        indicator_id,
        bool_and(result = 'no_data') as is_without_figure,
        min(iso3) as first_iso3,
        min(variant) as first_variant
    from tests
    group by claim_id, wording, precedence, role, indicator_id
),

judged as (
    select
        claim_id,
        case
            when max(claim_strength) = 1 and bool_or(is_deciding and kind = 'direction') then 'direction_supported'
            when max(claim_strength) = 3 and bool_or(is_deciding and kind = 'direction') then 'direction_contradicted'
            when max(claim_strength) = 1 then 'supported'
            when max(claim_strength) = 2 then 'supported_other_year'
            when max(claim_strength) = 3 then 'contradicted'
            when bool_or(result = 'not_comparable' and role = 'value') then 'not_comparable'
            -- a ceiling can contradict a number; a number below it needs a document
            when bool_or(comparator = 'ceiling') then 'document_only'
        end as verdict,
        not bool_or(is_deciding) and bool_or(
            role = 'value' and result not in ('no_data', 'not_comparable', 'below_ceiling')
        ) as is_of_too_few,
        count(distinct origin) filter (where is_deciding) as independent_origins
    from tests
    group by claim_id
),

reasons as (
    select
        claim_id,
        list(
            part order by
                precedence asc, role desc, is_without_figure asc, indicator_id asc, first_iso3 asc, first_variant asc
        ) as parts
    from parts
    group by claim_id
),

-- which variants of a mean support the claim
means as (
    select
        claim_id,
        list(variant order by variant) filter (where strength = 1) as true_of,
        list(variant order by variant) filter (where strength = 2) as true_of_another_year,
        list(variant order by variant) filter (where strength = 3) as not_true_of,
        list(variant order by variant) filter (where result = 'no_data') as without_figures
    from tests
    where kind = 'regional_mean' and role = 'value'
    group by claim_id
),

directions as (
    select
        claim_id,
        iso3,
        median(improvement) > 0 as is_better
    from tests
    where kind = 'direction' and improvement is not null
    group by claim_id, iso3
),

members as (
    select
        claim_id,
        list(iso3 order by iso3) filter (where is_better) as better,
        list(iso3 order by iso3) filter (where not is_better) as not_better
    from directions
    group by claim_id
),

summaries as (
    select
        claim_id,
        list_filter([
            if(
                starts_with(judged.verdict, 'direction') and claims.value_year is null,
                {{ claim_part('no_year_stated') }}, null
            ),
            if(means.true_of is null, null, {{ claim_part('true_of_means', variants='means.true_of') }}),
            if(
                means.true_of_another_year is null, null,
                {{ claim_part('true_of_means_in_another_year', variants='means.true_of_another_year') }}
            ),
            if(means.not_true_of is null, null, {{ claim_part('not_true_of_means', variants='means.not_true_of') }}),
            if(
                means.without_figures is null, null,
                {{ claim_part('no_figure_of_means', variants='means.without_figures') }}
            ),
            if(members.better is null, null, {{ claim_part('members_better', members='members.better') }}),
            if(members.not_better is null, null, {{ claim_part('members_not_better', members='members.not_better') }})
        ], lambda finding: finding is not null) as findings,
        [{{ claim_part('claim_summary', findings='findings') }}] as parts
    from judged
    inner join {{ ref('claims') }} as claims using (claim_id)
    left join means using (claim_id)
    left join members using (claim_id)
    where len(findings) > 0
),

evidence as (
    select tests.*
    from tests
    inner join judged
        on tests.claim_id = judged.claim_id
    where tests.role = 'value' and tests.value is not null
    qualify row_number() over (
        partition by tests.claim_id
        order by
            tests.is_deciding desc, tests.result = judged.verdict desc, tests.strength asc, abs(tests.deviation) asc,
            tests.definition_match = 'different' asc, tests.indicator_id asc, tests.iso3 asc, tests.base_year desc,
            tests.variant asc
    ) = 1
),

-- a claim with a public series has the verdict no_data until the series has figures, also if documents exist
fallback as (
    select
        claim_id,
        regexp_matches(checkable_with, '^(document|proxy.*document)')
        or (measure = 'milestone' and not starts_with(checkable_with, 'none')) as is_for_documents
    from {{ ref('claims') }}
),

duplicates as (
    select
        claim_id,
        duplicate_of
    from {{ ref('claim_duplicates') }}
    where relation = 'same'
),

leads as (
    select
        claim_id,
        count(*) as leads
    from {{ ref('claim_leads') }}
    group by claim_id
),

explained as (
    select
        claims.claim_id,
        coalesce(judged.verdict, if(fallback.is_for_documents, 'document_only', 'no_data')) as verdict,
        case
            when judged.verdict is not null then 'tested'
            when starts_with(claims.checkable_with, 'none') then 'nothing_public'
            when claims.measure = 'milestone' then 'milestone'
            when fallback.is_for_documents then 'only_document'
            when judged.is_of_too_few then 'too_few_members'
            when reasons.parts is not null then 'without_figure'
            else 'no_series'
        end as basis,
        case basis
            when 'tested' then coalesce(summaries.parts, []) || reasons.parts
            when 'nothing_public' then [{{ claim_part('nothing_public') }}]
            when 'milestone' then [{{ claim_part('milestone') }}]
            when 'only_document' then coalesce(reasons.parts, []) || [{{ claim_part('only_document') }}]
            when 'too_few_members' then [{{ claim_part('too_few_members') }}] || reasons.parts
            when 'without_figure' then reasons.parts
            else [{{ claim_part('no_series') }}]
        end as parts,
        coalesce(judged.independent_origins, 0)::integer as independent_origins
    from {{ ref('claims') }} as claims
    inner join fallback using (claim_id)
    left join judged using (claim_id)
    left join reasons using (claim_id)
    left join summaries using (claim_id)
)

select
    claims.claim_id,
    claims.document_line,
    claims.section,
    claims.pillar,
    claims.country_iso3,
    claims.statement,
    claims.measure,
    claims.unit,
    claims.baseline_value,
    claims.baseline_year,
    claims.baseline_comparator,
    claims.value,
    claims.value_year,
    claims.comparator,
    claims.direction,
    claims.status_word,
    claims.checkable_with,
    claims.note,
    explained.verdict,
    {{ sentence("'claim_reason'", "json_object('parts', explained.parts)") }} as verdict_reason,
    evidence.indicator_id as evidence_indicator_id,
    evidence.kind as evidence_kind,
    evidence.variant as evidence_variant,
    evidence.value as evidence_value,
    evidence.unit as evidence_unit,
    evidence.evidence_year,
    evidence.deviation,
    evidence.tolerance,
    evidence.nearest_true_year,
    evidence.true_elsewhere,
    evidence.definition_match,
    explained.independent_origins,
    evidence.provider,
    evidence.vintage_at,
    evidence.source_url,
    duplicates.duplicate_of,
    coalesce(leads.leads, 0)::integer as leads,
    explained.basis as verdict_reason_code,
    to_json(explained.parts)::varchar as verdict_reason_operands,
    documentary.documentary_verdict,
    documentary.documentary_reason_code,
    documentary.documentary_reason_operands,
    documentary.documentary_reason
from {{ ref('claims') }} as claims
inner join explained using (claim_id)
left join evidence using (claim_id)
left join duplicates using (claim_id)
left join leads using (claim_id)
left join {{ ref('int_documentary_verdicts') }} as documentary using (claim_id)
order by claims.claim_id
