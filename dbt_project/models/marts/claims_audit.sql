-- One verdict per claim. The readings with the best definition decide, and they must agree: if the review leaves the
-- reading open (an undefined term, a variant of a mean) and the outcomes differ, the verdict depends on the reading.
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
        end as claim_strength,
        not bool_or(readings.is_ceiling) over claim
        and min(readings.strength) over claim < max(readings.strength) over claim as is_divided
    from {{ ref('int_claim_readings') }} as readings
    inner join best_definition using (claim_id, definition_rank)
    window claim as (partition by readings.claim_id)
),

tests as (
    select
        tests.*,
        deciding.strength,
        deciding.claim_strength,
        deciding.is_divided,
        deciding.question_id is not null as is_deciding,
        {{ sentence("'claim_reason'", "json_object('parts', [" ~ claim_reason_for("''") ~ "])") }} as wording
    from {{ ref('int_claim_reasons') }} as tests
    left join deciding
        on
            tests.question_id = deciding.question_id
            and (tests.variant = deciding.variant or tests.kind = 'direction')
            and tests.result not in ('no_data', 'no_suitable_series', 'not_comparable', 'below_ceiling')
),

-- members with the same wording share one part
parts as (
    select
        claim_id,
        {{ claim_reason_for('list(distinct iso3 order by iso3)', 'first(reason order by iso3, variant)') }} as part,
        case when is_deciding and strength = claim_strength then 1 when is_deciding then 2 else 3 end as precedence,
        role,
        indicator_id,
        bool_and(result in ('no_data', 'no_suitable_series')) as is_without_figure,
        min(iso3) as first_iso3,
        min(variant) as first_variant
    from tests
    group by claim_id, wording, precedence, role, indicator_id
),

judged as (
    select
        claim_id,
        case
            when bool_or(is_divided) then 'depends_on_reading'
            when max(claim_strength) = 1 and bool_or(is_deciding and kind = 'direction') then 'direction_supported'
            when max(claim_strength) = 2 and bool_or(is_deciding and kind = 'direction') then 'depends_on_base_year'
            when max(claim_strength) = 3 and bool_or(is_deciding and kind = 'direction') then 'direction_contradicted'
            when max(claim_strength) = 1 then 'supported'
            when max(claim_strength) = 2 then 'supported_other_year'
            when max(claim_strength) = 3 then 'contradicted'
            when bool_or(result = 'not_comparable' and role = 'value') then 'not_comparable'
            -- a ceiling can contradict a number; a number below it needs a document
            when bool_or(result = 'below_ceiling') then 'document_only'
            when bool_or(result = 'no_suitable_series' and role = 'value') then 'no_suitable_series'
            when bool_or(comparator = 'ceiling') then 'document_only'
        end as verdict,
        not bool_or(is_deciding) and bool_or(
            role = 'value' and result not in ('no_data', 'no_suitable_series', 'not_comparable', 'below_ceiling')
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

-- which series support the claim, if the readings of a term differ
readings as (
    select
        claim_id,
        list(distinct series order by series) filter (where strength = 1) as true_of,
        list(distinct series order by series) filter (where strength = 2) as partly_true_of,
        list(distinct series order by series) filter (where strength = 3) as not_true_of
    from tests
    where is_divided and kind <> 'regional_mean'
    group by claim_id
),

directions as (
    select
        claim_id,
        iso3,
        list(distinct base_year order by base_year) filter (where improvement > 0) as better_since,
        list(distinct base_year order by base_year) filter (where improvement <= 0) as not_better_since
    from tests
    where kind = 'direction' and result in ('direction_supported', 'direction_contradicted')
    group by claim_id, iso3
),

members as (
    select
        claim_id,
        list(iso3 order by iso3) filter (where not_better_since is null) as better,
        list(iso3 order by iso3) filter (where better_since is null) as not_better,
        list(
            {{ claim_part(
                'member_better_since_some', members='[iso3]', better='better_since', not_better='not_better_since'
            ) }}
            order by iso3
        ) filter (where better_since is not null and not_better_since is not null) as mixed
    from directions
    group by claim_id
),

-- members whose series have no figure of the years in question
outside as (
    select
        claim_id,
        list(distinct iso3 order by iso3) as members
    from tests
    where result = 'no_suitable_series' and role = 'value'
    group by claim_id
),

summaries as (
    select
        claim_id,
        list_filter([
            if(
                (starts_with(judged.verdict, 'direction') or judged.verdict = 'depends_on_base_year')
                and claims.value_year is null,
                {{ claim_part('no_year_stated') }}, null
            ),
            if(
                judged.verdict = 'depends_on_reading' and terms.term is not null,
                {{ claim_part('undefined_term', term='terms.term', may_mean='terms.may_mean') }}, null
            ),
            if(readings.true_of is null, null, {{ claim_part('true_read_as', series='readings.true_of') }}),
            if(
                readings.partly_true_of is null, null,
                {{ claim_part('partly_true_read_as', series='readings.partly_true_of') }}
            ),
            if(readings.not_true_of is null, null, {{ claim_part('not_true_read_as', series='readings.not_true_of') }}),
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
            if(members.not_better is null, null, {{ claim_part('members_not_better', members='members.not_better') }}),
            if(members.mixed is null, null, {{ claim_part('members_mixed', mixed='members.mixed') }}),
            if(
                judged.verdict = 'no_suitable_series',
                {{ claim_part('members_outside', members='outside.members') }}, null
            )
        ], lambda finding: finding is not null) as findings,
        [{{ claim_part('claim_summary', findings='findings') }}] as parts
    from judged
    inner join {{ ref('claims') }} as claims using (claim_id)
    left join means using (claim_id)
    left join members using (claim_id)
    left join readings using (claim_id)
    left join outside using (claim_id)
    left join {{ ref('claim_terms') }} as terms using (claim_id)
    where len(findings) > 0
),

evidence as (
    select tests.*
    from tests
    inner join judged
        on tests.claim_id = judged.claim_id
    where
        tests.role = 'value'
        and tests.value is not null
        -- a figure of other years is no evidence; the reason has it
        and judged.verdict is distinct from 'no_suitable_series'
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
            when judged.verdict = 'no_suitable_series' then 'no_suitable_series'
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
            when 'no_suitable_series' then summaries.parts || reasons.parts
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
