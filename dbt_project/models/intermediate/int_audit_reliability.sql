-- Whether parts measure one thing: Cronbach's alpha and the share of the first principal component, for the pillars of
-- the overall score, and for the sub-themes and the indicators of a pillar. And how much of an index its parts in the
-- framework explain. All of them need economies with every value of the set, more of them than the set has items.
with sets as (
    select
        framework_id,
        population,
        iso3,
        case when kind = 'pillar' then 'overall' else pillar_id end as subject,
        kind || 's' as items,
        subject as item,
        value
    from {{ ref('int_audit_values') }}
    where kind in ('indicator', 'subtheme', 'pillar')
    union all by name
    -- the index is the first item of its set
    select
        parts.framework_id,
        parts.population,
        parts.iso3,
        index_parts.index_id as subject,
        'index_parts' as items,
        case when parts.subject = index_parts.index_id then '' else parts.subject end as item,
        any_value(parts.value) as value
    from {{ ref('int_audit_values') }} as parts
    inner join {{ ref('index_parts') }} as index_parts
        on parts.subject in (index_parts.index_id, index_parts.indicator_id)
    semi join {{ ref('framework_indicators') }} as framework_indicators
        on
            parts.framework_id = framework_indicators.framework_id
            and index_parts.index_id = framework_indicators.indicator_id
    where parts.kind = 'indicator'
    group by all
),

units as (
    select
        framework_id,
        population,
        subject,
        items,
        iso3,
        list(value order by item) as vector,
        {{ exact_sum('value') }} as total,
        count(*) as item_count,
        count(value) = count(*) as is_complete
    from sets
    group by all
),

matrices as (
    select
        framework_id,
        population,
        subject,
        items,
        any_value(item_count) as item_count,
        count_if(is_complete) as n,
        list(vector order by iso3) filter (where is_complete) as matrix,
        var_samp(total order by iso3) filter (where is_complete) as total_variance
    from units
    group by all
),

variances as (
    select
        sets.framework_id,
        sets.population,
        sets.subject,
        sets.items,
        sets.item,
        var_samp(sets.value order by sets.iso3) as variance
    from sets
    inner join units
        on
            sets.framework_id = units.framework_id
            and sets.population = units.population
            and sets.subject = units.subject
            and sets.items = units.items
            and sets.iso3 = units.iso3
            and units.is_complete
    group by all
),

summed as (
    select
        framework_id,
        population,
        subject,
        items,
        {{ exact_sum('variance') }} as item_variance
    from variances
    group by all
),

judged as (
    select
        matrices.*,
        summed.item_variance,
        case
            when item_count < 2 then 'one_item'
            when n < greatest({{ var('audit_min_units') }}, item_count + 1) then 'too_few_economies'
        end as reason
    from matrices
    left join summed using (framework_id, population, subject, items)
),

statistics as (
    select
        framework_id,
        population,
        subject,
        items as other_subject,
        n,
        reason,
        unnest(
            case when items = 'index_parts' then ['explained_variance'] else ['alpha', 'first_component_share'] end
        ) as statistic,
        case
            when reason is not null then null
            when statistic = 'alpha'
                then
                    {{ safe_divide('item_count', '(item_count - 1)') }}
                    * (1 - {{ safe_divide('item_variance', 'total_variance') }})
            when statistic = 'first_component_share' then first_component_share(matrix)
            when statistic = 'explained_variance' then adjusted_r_squared(matrix)
        end as value
    from judged
)

select
    framework_id,
    population,
    statistic,
    subject,
    other_subject,
    value,
    n,
    reason
from statistics
