-- The values that the audit compares: one row per population, economy and subject. A subject is an indicator, a
-- sub-theme, a pillar or the overall score. `contribution` is the value in points of the overall score: over the
-- indicators, or sub-themes, or pillars of an economy it adds up to the overall score, with the declared shares.
with populations as (
    select
        *,
        unnest(populations) as population
    from {{ ref('int_audit_indicators') }}
)

select
    framework_id,
    population,
    iso3,
    'indicator' as kind,
    indicator_id as subject,
    pillar_id,
    level_score as value,
    share,
    share * implied_level as contribution,
    is_additive
from populations
{% for kind in ['subtheme', 'pillar'] %}
union all by name
select
    framework_id,
    population,
    iso3,
    '{{ kind }}' as kind,
    {{ kind }}_id as subject,
    pillar_id,
    any_value({{ kind }}_score) as value,
    {{ exact_sum('share') }} as share,
    {{ exact_sum('share * implied_level') }} as contribution,
    any_value(is_additive) as is_additive
from populations
group by all
{% endfor %}
union all by name
select
    framework_id,
    population,
    iso3,
    'overall' as kind,
    'overall' as subject,
    null as pillar_id,
    any_value(overall_score) as value,
    1 as share,
    any_value(overall_score) as contribution,
    any_value(is_additive) as is_additive
from populations
group by all
