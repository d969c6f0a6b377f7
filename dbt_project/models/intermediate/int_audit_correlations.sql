-- Correlations (Pearson's r) of indicators with pillars, of an indicator with the rest of its pillar, of pillars with
-- each other and the overall score, and of indicators with each other: of the latter, those that are redundant.
with pairs as (
    select
        own.framework_id,
        own.population,
        case own.kind when 'indicator' then 'indicator_correlation' else 'pillar_correlation' end as statistic,
        own.subject,
        other.subject as other_subject,
        own.iso3,
        own.value as x,
        other.value as y
    from {{ ref('int_audit_values') }} as own
    inner join {{ ref('int_audit_values') }} as other
        on
            own.framework_id = other.framework_id
            and own.population = other.population
            and own.iso3 = other.iso3
    where
        own.kind in ('indicator', 'pillar')
        and (
            other.kind = 'overall'
            or (other.kind = 'pillar' and (own.kind = 'indicator' or own.subject < other.subject))
        )
    union all by name
    select
        framework_id,
        unnest(populations) as population,
        'rest_correlation' as statistic,
        indicator_id as subject,
        pillar_id as other_subject,
        iso3,
        level_score as x,
        pillar_without as y
    from {{ ref('int_audit_indicators') }}
    union all by name
    select
        own.framework_id,
        own.population,
        'redundant_pair' as statistic,
        own.subject,
        other.subject as other_subject,
        own.iso3,
        own.value as x,
        other.value as y
    from {{ ref('int_audit_values') }} as own
    inner join {{ ref('int_audit_values') }} as other
        on
            own.framework_id = other.framework_id
            and own.population = other.population
            and own.iso3 = other.iso3
            and own.kind = other.kind
            and own.subject < other.subject
    where own.kind = 'indicator' and own.value is not null and other.value is not null
),

correlated as (
    select
        framework_id,
        population,
        statistic,
        subject,
        other_subject,
        count_if(x is not null and y is not null) as n,
        -- of a constant, rounding errors alone would be correlated
        case
            when
                max(x) filter (where y is not null) > min(x) filter (where y is not null)
                and max(y) filter (where x is not null) > min(y) filter (where x is not null)
                then corr(y, x order by iso3)
        end as r
    from pairs
    group by all
),

judged as (
    select
        *,
        case
            when n < {{ var('audit_min_units') }} then 'too_few_economies'
            when r is null then 'constant'
        end as reason
    from correlated
)

select
    framework_id,
    population,
    statistic,
    subject,
    other_subject,
    case when reason is null then r end as value,
    n,
    reason
from judged
where statistic <> 'redundant_pair' or (reason is null and abs(r) > {{ var('audit_redundant') }})
