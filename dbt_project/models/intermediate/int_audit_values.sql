-- The values that the audit compares: one row per population, economy and subject. A subject is an indicator, a
-- sub-theme, a pillar or the overall score. `contribution` is the value in points of the overall score: over the
-- indicators, or sub-themes, or pillars of an economy it adds up to the overall score, with the declared shares.
with populations as (
    select
        *,
        unnest(case when is_member then ['members', 'economies'] else ['economies'] end) as population
    from {{ ref('int_audit_indicators') }}
),

additive as (
    select distinct
        framework_id,
        is_additive
    from {{ ref('int_audit_indicators') }}
),

subjects as (
    select
        framework_id,
        population,
        iso3,
        'indicator' as kind,
        indicator_id as subject,
        pillar_id,
        level_score as value,
        share,
        share * implied_level as contribution
    from populations
    union all by name
    select
        framework_id,
        population,
        iso3,
        'subtheme' as kind,
        subtheme_id as subject,
        pillar_id,
        any_value(subtheme_score) as value,
        sum(share order by indicator_id) as share,
        sum(share * implied_level order by indicator_id) as contribution
    from populations
    group by all
    union all by name
    select
        framework_id,
        population,
        iso3,
        'pillar' as kind,
        pillar_id as subject,
        pillar_id,
        any_value(pillar_score) as value,
        sum(share order by indicator_id) as share,
        sum(share * implied_level order by indicator_id) as contribution
    from populations
    group by all
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
        any_value(overall_score) as contribution
    from populations
    group by all
)

select
    subjects.*,
    additive.is_additive
from subjects
inner join additive using (framework_id)
