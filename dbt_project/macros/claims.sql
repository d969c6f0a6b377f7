{#
The audit of the review's claims: how the figures of each kind of test are made, and when a figure bears a claim out.
A new kind of test is a macro `claim_figures_<kind>` here and a row in the seed claim_kinds: int_claim_figures takes
every macro of that name. Does not belong here: which series tests which claim (seed claim_evidence), verdicts
(claims_audit).

Every `claim_figures_` macro is a select with one row an evidence row, variant, area and year, for all members, so that
it is seen of whom else a claim is true:
claim_id, indicator_id, variant, iso3, year, figure (in the indicator's unit, unless the kind has one of its own),
base_year, base_figure, figure_without_afg, missing, provider, vintage_at, source_url.
#}

{# The columns that say where a figure comes from. #}
{% macro claim_provenance(observations) -%}
{{ observations }}.provider,
        {{ observations }}.vintage_at,
        {{ observations }}.source_url
{%- endmacro %}

{# The figures of a kind that looks at one country's own series: what the source gives. #}
{% macro claim_national(kind) %}
    select
        evidence.claim_id,
        evidence.indicator_id,
        'national' as variant,
        figures.iso3,
        figures.year,
        figures.value as figure,
        {{ claim_provenance('figures') }}
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('int_claim_observations') }} as figures
        on evidence.indicator_id = figures.indicator_id
    where evidence.kind = '{{ kind }}' and figures.is_member
{% endmacro %}

{# What the source gives, country by country. #}
{% macro claim_figures_value() %}
    {{- claim_national('value') }}
{% endmacro %}

{# The rank that each edition gives. #}
{% macro claim_figures_rank_in_edition() %}
    {{- claim_national('rank_in_edition') }}
{% endmacro %}

{# What became of the figures since the base year; `changed` says how. Without a base year there is none. #}
{% macro claim_since(kind, changed) %}
    select
        evidence.claim_id,
        evidence.indicator_id,
        'national' as variant,
        later.iso3,
        later.year,
        {{ changed }} as figure,
        base.year as base_year,
        base.value as base_figure,
        {{ claim_provenance('later') }}
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('int_claim_observations') }} as base
        on evidence.indicator_id = base.indicator_id and evidence.base_year = base.year
    inner join {{ ref('int_claim_observations') }} as later
        on base.indicator_id = later.indicator_id and base.iso3 = later.iso3 and base.year < later.year
    where evidence.kind = '{{ kind }}' and later.is_member
{% endmacro %}

{# Change in per cent of the base figure. #}
{% macro claim_figures_change() %}
    {{- claim_since('change', '100 * ' ~ safe_divide('(later.value - base.value)', 'base.value')) }}
{% endmacro %}

{# Change in the unit of the series, percentage points for a share in per cent. #}
{% macro claim_figures_difference() %}
    {{- claim_since('difference', 'later.value - base.value') }}
{% endmacro %}

{#
The figure of the year in question (else the newest up to the review's) beside that of every base year: the one that is
named, else the years before it that the seed claim_parameters allows.
#}
{% macro claim_figures_direction() %}
    select
        evidence.claim_id,
        evidence.indicator_id,
        'since ' || base.year as variant,
        later.iso3,
        later.year,
        later.value as figure,
        base.year as base_year,
        base.value as base_figure,
        {{ claim_provenance('later') }}
    from {{ ref('int_claim_evidence') }} as evidence
    cross join {{ ref('int_claim_parameters') }} as parameters
    inner join {{ ref('int_claim_observations') }} as later
        on
            evidence.indicator_id = later.indicator_id
            and later.year <= coalesce(evidence.claimed_year, parameters.last_year)
    inner join {{ ref('int_claim_observations') }} as base
        on
            later.indicator_id = base.indicator_id
            and later.iso3 = base.iso3
            and base.year < later.year
            and base.year between
            coalesce(evidence.base_year, later.year - parameters.base_years)
            and coalesce(evidence.base_year, later.year)
    where evidence.kind = 'direction' and later.is_member
    qualify
        later.year = max(later.year) over (partition by evidence.claim_id, evidence.indicator_id, later.iso3)
        and later.year = coalesce(evidence.claimed_year, later.year)
{% endmacro %}

{# Place among the economies of the same income group that the edition has, 1 the best; ties share a place. #}
{% macro claim_figures_rank_in_group() %}
    select
        evidence.claim_id,
        evidence.indicator_id,
        'national' as variant,
        figures.iso3,
        figures.year,
        rank() over (
            partition by evidence.claim_id, evidence.indicator_id, figures.year, figures.income_group
            order by case when evidence.direction = 'lower_is_better' then figures.value else -figures.value end
        )::double as figure,
        {{ claim_provenance('figures') }}
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('int_claim_observations') }} as figures
        on evidence.indicator_id = figures.indicator_id
    where evidence.kind = 'rank_in_group' and figures.income_group is not null
    qualify figures.is_member
{% endmacro %}

{#
Mean of the members, in every variant of the seed region_variants, from figures and populations of one year. Needs
members enough; those without a figure are named, and the mean without Afghanistan stands beside.
#}
{% macro claim_figures_regional_mean() %}
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
{% endmacro %}

{#
Two series of the same year made into one; `combined` says how. Where no second is named, the first series alone.
#}
{% macro claim_combined(kind, combined) %}
    select
        evidence.claim_id,
        evidence.indicator_id,
        'national' as variant,
        figures.iso3,
        figures.year,
        case when evidence.with_indicator_id is null then figures.value else {{ combined }} end as figure,
        {{ claim_provenance('figures') }}
    from {{ ref('int_claim_evidence') }} as evidence
    inner join {{ ref('int_claim_observations') }} as figures
        on evidence.indicator_id = figures.indicator_id
    left join {{ ref('int_claim_observations') }} as others
        on
            evidence.with_indicator_id = others.indicator_id
            and figures.iso3 = others.iso3
            and figures.year = others.year
    where
        evidence.kind = '{{ kind }}'
        and figures.is_member
        and (evidence.with_indicator_id is null or others.value is not null)
{% endmacro %}

{# A number of people or things: the first series times the second, a share. #}
{% macro claim_figures_product() %}
    {{- claim_combined('product', 'figures.value * evidence.with_scale * others.value') }}
{% endmacro %}

{# The figures that bound a claimed number from above: the first series, times the second where one is named. #}
{% macro claim_figures_ceiling() %}
    {{- claim_combined('ceiling', 'figures.value * evidence.with_scale * others.value') }}
{% endmacro %}

{# The same for two populations that stand side by side. #}
{% macro claim_figures_ceiling_of_sum() %}
    {{- claim_combined('ceiling_of_sum', 'figures.value + others.value') }}
{% endmacro %}

{#
Whether a figure bears a claim out. The tolerance serves bounds as well: what is near enough to equal N is near enough to
be at least N. A range holds between `low` and `claimed`. Rounded to nine digits, so that a decimal fraction that a
double cannot hold does not decide.
#}
{% macro claim_holds(figure, claimed, low, tolerance, comparator) -%}
case {{ comparator }}
            when 'gt' then round({{ figure }} - ({{ claimed }} - {{ tolerance }}), 9) > 0
            when 'gte' then round({{ figure }} - ({{ claimed }} - {{ tolerance }}), 9) >= 0
            when 'lt' then round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) < 0
            when 'lte' then round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) <= 0
            when 'range'
                then round({{ figure }} - ({{ low }} - {{ tolerance }}), 9) >= 0
                    and round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) <= 0
            when 'ceiling' then round({{ claimed }} - ({{ figure }} + {{ tolerance }}), 9) <= 0
            else round(abs({{ figure }} - {{ claimed }}) - {{ tolerance }}, 9) <= 0
        end
{%- endmacro %}

{# A figure for a sentence: at most two decimals, none where it is large, thousands parted. #}
{% macro claim_number(value) -%}
case
            when abs({{ value }}) >= 1000 then format('{:,.0f}', {{ value }})
            else rtrim(rtrim(format('{:.2f}', {{ value }}), '0'), '.')
        end
{%- endmacro %}

{# What the claim says, in words, with its tolerance: over 70 ± 2, 50 to 60 ± 2. #}
{% macro claim_claimed() -%}
case comparator
            when 'gt' then 'over '
            when 'gte' then 'at least '
            when 'lt' then 'under '
            when 'lte' then 'at most '
            when 'approx' then 'about '
            when 'range' then {{ claim_number('low') }} || ' to '
            else ''
        end || {{ claim_number('claimed') }}
        || case when tolerance > 0 then ' ± ' || {{ claim_number('tolerance') }} else '' end
{%- endmacro %}

{# A test's result in words, from the columns of claim_tests. #}
{% macro claim_told() -%}
{%- set value = claim_number('value') ~ " || ' in ' || evidence_year" -%}
iso3
    || case when variant = 'national' or kind = 'direction' then '' else ' (' || variant || ')' end
    || case role when 'baseline' then ', baseline: ' else ': ' end
    || case
        when kind in ('change', 'difference') and asked_base_year is null
            then 'the review names no year that the change counts from'
        when result = 'no_data' and value is null
            then case when kind = 'regional_mean' then 'no mean of enough members of ' else 'no figure of ' end
                || series || coalesce('; not known then, with the oldest vintage at hand: ' || unknown_then, '')
        when result = 'no_data'
            then 'no figure of ' || series || ' near ' || last_year || ' (the nearest is ' || {{ value }} || ')'
        when definition_match = 'different'
            then series || ' was ' || {{ value }} || ', but measures ' || definition_note
        when kind = 'direction'
            then series || ' ' || {{ value }} || ' against ' || {{ claim_number('base_value') }} || ' in '
                || base_year || case when improvement > 0 then ', better' else ', not better' end
        when claimed is null then 'the review names no number; ' || series || ' was ' || {{ value }}
        when not is_same_dimension
            then series || ' is in ' || figure_unit || ', the claim in ' || coalesce(claim_unit, 'no unit')
                || '; it was ' || {{ value }}
        when is_ceiling
            then {{ claim_number('claimed') }} || case when result = 'below_ceiling' then ' is within' else ' exceeds' end
                || ' the ' || {{ claim_number('value') }} || ' that could be counted in ' || evidence_year
                || ' (' || series || ')'
        else series || ' ' || {{ value }} || ', claimed ' || {{ claim_claimed() }}
    end
    || coalesce('; without a figure: ' || members_missing, '')
    || coalesce('; without AFG ' || {{ claim_number('value_without_afg') }}, '')
    || case
        when result = 'supported_other_year' and nearest_true_year <> evidence_year
            then '; true in ' || nearest_true_year || ' (' || {{ claim_number('true_value') }}
                || coalesce(', without a figure: ' || true_members_missing, '') || ')'
        when result = 'supported_other_year' then '; true in that year'
        when result = 'contradicted' and not is_ceiling
            then '; ' || {{ claim_number('abs(deviation)') }} || ' off; true of no year'
        else ''
    end
    || case
        when result not in ('supported', 'supported_other_year', 'contradicted', 'below_ceiling') then ''
        when year_basis in ('none', 'context')
            then coalesce('; no year stated, tested on ' || years_tested, '; no year stated')
        when years_tested is null then '; no figure of ' || last_year
        else ''
    end
    || case
        when result in ('supported_other_year', 'contradicted') then coalesce('; true of ' || true_elsewhere, '')
        else ''
    end
{%- endmacro %}
