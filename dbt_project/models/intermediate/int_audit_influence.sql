-- How much an indicator, a pillar or a group of indicators matters: its declared share of the overall score, its share
-- of the variance of the overall score, the share of economies at either end of the scale, and what changes without it.
with roles as (
    select
        framework_id,
        indicator_id,
        role
    from {{ ref('framework_indicators') }}
    where role is not null
    union all by name
    select
        framework_indicators.framework_id,
        framework_indicators.indicator_id,
        'edition_index' as role
    from {{ ref('framework_indicators') }} as framework_indicators
    inner join {{ ref('indicators') }} as indicators using (indicator_id)
    where indicators.edition_index
),

shares as (
    select
        framework_id,
        population,
        iso3,
        subject,
        kind as other_subject,
        share,
        contribution,
        is_additive
    from {{ ref('int_audit_values') }}
    where kind in ('indicator', 'pillar')
    union all by name
    select
        audited.framework_id,
        audited.population,
        audited.iso3,
        roles.role as subject,
        'role' as other_subject,
        {{ exact_sum('audited.share') }} as share,
        {{ exact_sum('audited.contribution') }} as contribution,
        any_value(audited.is_additive) as is_additive
    from {{ ref('int_audit_values') }} as audited
    inner join roles
        on audited.framework_id = roles.framework_id and audited.subject = roles.indicator_id
    where audited.kind = 'indicator'
    group by all
),

weights as (
    select
        shares.framework_id,
        shares.population,
        shares.subject,
        shares.other_subject,
        count(*) as n,
        any_value(shares.share) as nominal_weight,
        bool_and(shares.is_additive) as is_additive,
        {{ safe_divide(
            'covar_samp(shares.contribution, overall.value order by shares.iso3)',
            'var_samp(overall.value order by shares.iso3)'
        ) }} as effective_weight
    from shares
    inner join {{ ref('int_audit_values') }} as overall
        on
            shares.framework_id = overall.framework_id
            and shares.population = overall.population
            and shares.iso3 = overall.iso3
            and overall.kind = 'overall'
    group by all
),

populations as (
    select
        *,
        unnest(populations) as population
    from {{ ref('int_audit_indicators') }}
),

left_out as (
    select
        *,
        rank() over (
            partition by framework_id, population, indicator_id order by {{ rank_key('overall_score') }} desc
        ) as published_rank,
        rank() over (
            partition by framework_id, population, indicator_id order by {{ rank_key('overall_without') }} desc
        ) as rank_without
    from populations
),

indicators as (
    select
        framework_id,
        population,
        indicator_id as subject,
        count(level_score) as n_levels,
        count(overall_without) as n,
        avg((level_score <= 0)::integer) as share_at_0,
        avg((level_score >= 100)::integer) as share_at_100,
        max(abs(overall_without - overall_score)) as left_out_max_change,
        max(abs(rank_without - published_rank)) filter (where overall_without is not null) as left_out_max_rank_shift
    from left_out
    group by all
)

select
    framework_id,
    population,
    unnest(['nominal_weight', 'effective_weight']) as statistic,
    subject,
    other_subject,
    unnest([nominal_weight, case when is_additive then effective_weight end]) as value,
    n,
    case
        when statistic = 'nominal_weight' then null
        when not is_additive then 'not_additive'
        when effective_weight is null then 'constant'
    end as reason
from weights
union all by name
select
    framework_id,
    population,
    unnest(['share_at_0', 'share_at_100', 'left_out_max_change', 'left_out_max_rank_shift']) as statistic,
    subject,
    unnest(['level', 'level', 'overall', 'overall']) as other_subject,
    unnest([share_at_0, share_at_100, left_out_max_change, left_out_max_rank_shift]) as value,
    unnest([n_levels, n_levels, n, n]) as n,
    case
        when value is not null then null
        when statistic in ('share_at_0', 'share_at_100') then 'no_data'
        else 'only_indicator'
    end as reason
from indicators
