-- One verdict a claim. Decided by the series whose definition fits best; where the review leaves open which reading is
-- meant (a mean, a kind of coverage), the one that bears the claim out counts, and the reason names the others.
with best_definition as (
    select
        claim_id,
        min(definition_rank) as definition_rank
    from {{ ref('int_claim_readings') }}
    group by claim_id
),

deciding as (
    select
        readings.claim_id,
        readings.indicator_id,
        readings.variant,
        readings.kind,
        readings.strength,
        -- a number beyond its ceiling is refuted, whatever else is said of it
        case
            when bool_or(readings.is_ceiling) over claim then 3
            else min(readings.strength) over claim
        end as claim_strength
    from {{ ref('int_claim_readings') }} as readings
    inner join best_definition
        on readings.claim_id = best_definition.claim_id and readings.definition_rank = best_definition.definition_rank
    window claim as (partition by readings.claim_id)
),

tests as (
    select
        tests.*,
        deciding.strength,
        deciding.claim_strength,
        deciding.claim_id is not null as is_deciding
    from {{ ref('claim_tests') }} as tests
    left join deciding
        on
            tests.claim_id = deciding.claim_id
            and tests.indicator_id = deciding.indicator_id
            and tests.role = 'value'
            and (tests.variant = deciding.variant or tests.kind = 'direction')
            and tests.result not in ('no_data', 'not_comparable', 'below_ceiling')
),

spoken as (
    select
        *,
        substr(reason, length(iso3) + 1) as body,
        case when is_deciding and strength = claim_strength then 1 when is_deciding then 2 else 3 end as precedence
    from tests
),

-- members of whom a test says the same are told together
told as (
    select
        claim_id,
        string_agg(iso3, ', ' order by iso3) || body as reason,
        precedence,
        role,
        bool_and(result = 'no_data') as is_without_figure,
        indicator_id,
        min(iso3) as first_iso3,
        min(variant) as first_variant
    from spoken
    group by claim_id, body, precedence, role, indicator_id
),

reasons as (
    select
        claim_id,
        string_agg(
            reason, ' | ' order by
                precedence asc, role desc, is_without_figure asc, indicator_id asc, first_iso3 asc, first_variant asc
        ) as reason
    from told
    group by claim_id
),

judged as (
    select
        claim_id,
        any_value(reasons.reason) as reason,
        case
            when max(claim_strength) = 1 and bool_or(is_deciding and kind = 'direction') then 'direction_supported'
            when max(claim_strength) = 3 and bool_or(is_deciding and kind = 'direction') then 'direction_contradicted'
            when max(claim_strength) = 1 then 'supported'
            when max(claim_strength) = 2 then 'supported_other_year'
            when max(claim_strength) = 3 then 'contradicted'
            when bool_or(result = 'not_comparable' and role = 'value') then 'not_comparable'
            -- a ceiling can refute a number, and what it leaves standing only a document settles
            when bool_or(comparator = 'ceiling') then 'document_only'
        end as verdict,
        not bool_or(is_deciding) and bool_or(
            role = 'value' and result not in ('no_data', 'not_comparable', 'below_ceiling')
        ) as is_of_too_few,
        count(distinct origin) filter (where is_deciding) as independent_origins
    from tests
    inner join reasons using (claim_id)
    group by claim_id
),

-- which ways of taking a mean bear the claim out
means as (
    select
        claim_id,
        string_agg(variant, ', ' order by variant) filter (where strength = 1) as true_of,
        string_agg(variant, ', ' order by variant) filter (where strength = 2) as true_of_another_year,
        string_agg(variant, ', ' order by variant) filter (where strength = 3) as not_true_of,
        string_agg(variant, ', ' order by variant) filter (where result = 'no_data') as without_figures
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
        string_agg(iso3, ', ' order by iso3) filter (where is_better) as better,
        string_agg(iso3, ', ' order by iso3) filter (where not is_better) as not_better
    from directions
    group by claim_id
),

summaries as (
    select
        claim_id,
        concat_ws(
            '; ',
            'true of the mean ' || means.true_of,
            'true of another year as the mean ' || means.true_of_another_year,
            'not true of the mean ' || means.not_true_of,
            'no figure for the mean ' || means.without_figures,
            'against the median of the base years better: ' || members.better,
            'against the median of the base years not better: ' || members.not_better
        ) || ' | ' as summary
    from means
    full outer join members using (claim_id)
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

-- what a public series measures waits for figures of it, whatever documents there are
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
    case
        when judged.verdict is not null then judged.verdict
        when fallback.is_for_documents then 'document_only'
        else 'no_data'
    end as verdict,
    case
        when judged.verdict is not null
            then
                case
                    when starts_with(judged.verdict, 'direction') and claims.value_year is null then 'no year stated; '
                    else ''
                end
                || coalesce(summaries.summary, '') || judged.reason
        when starts_with(claims.checkable_with, 'none') then 'nothing public measures it'
        when claims.measure = 'milestone' then 'a milestone: settled by a document, not by a series'
        when fallback.is_for_documents
            then coalesce(judged.reason || ' | ', '') || 'only a national document could settle it'
        when judged.is_of_too_few then 'figures of too few of the members named | ' || judged.reason
        else coalesce(judged.reason, 'no series that bears on it is in the catalogue')
    end as verdict_reason,
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
    coalesce(judged.independent_origins, 0)::integer as independent_origins,
    evidence.provider,
    evidence.vintage_at,
    evidence.source_url,
    duplicates.duplicate_of,
    coalesce(leads.leads, 0)::integer as leads
from {{ ref('claims') }} as claims
inner join fallback
    on claims.claim_id = fallback.claim_id
left join judged
    on claims.claim_id = judged.claim_id
left join summaries
    on claims.claim_id = summaries.claim_id
left join evidence
    on claims.claim_id = evidence.claim_id
left join duplicates
    on claims.claim_id = duplicates.claim_id
left join leads
    on claims.claim_id = leads.claim_id
order by claims.claim_id
