-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(meta={'dagster': {'ref': {'name': 'framework_indicators'}}}) }}

with faults as (
    select
        framework_indicators.framework_id,
        framework_indicators.indicator_id as entry,
        'its sub-theme is missing, in another pillar, or register_only' as fault
    from {{ ref('framework_indicators') }} as framework_indicators
    left join {{ ref('int_subthemes') }} as subthemes
        on
            framework_indicators.framework_id = subthemes.framework_id
            and framework_indicators.pillar_id = subthemes.pillar_id
            and framework_indicators.subtheme_id = subthemes.subtheme_id
    where coalesce(subthemes.register_only, true)
    union all
    select
        subthemes.framework_id,
        subthemes.subtheme_id as entry,
        'no indicator: name one or mark the sub-theme register_only' as fault
    from {{ ref('int_subthemes') }} as subthemes
    anti join {{ ref('framework_indicators') }} as framework_indicators
        on
            subthemes.framework_id = framework_indicators.framework_id
            and subthemes.subtheme_id = framework_indicators.subtheme_id
    where not subthemes.register_only
    union all
    select
        subthemes.framework_id,
        subthemes.subtheme_id as entry,
        'its pillar is missing' as fault
    from {{ ref('int_subthemes') }} as subthemes
    anti join {{ ref('int_pillars') }} as pillars
        on subthemes.framework_id = pillars.framework_id and subthemes.pillar_id = pillars.pillar_id
    union all
    -- it would silently drop out of the overall score
    select
        pillars.framework_id,
        pillars.pillar_id as entry,
        'no sub-theme' as fault
    from {{ ref('int_pillars') }} as pillars
    anti join {{ ref('int_subthemes') }} as subthemes
        on pillars.framework_id = subthemes.framework_id and pillars.pillar_id = subthemes.pillar_id
)

-- an error names the rows, and a failure would only count them; an empty list is NULL, which raises no error
select 'see the error' as fault
from faults
having error(string_agg(framework_id || ' ' || entry || ': ' || fault, '; ' order by framework_id, entry)) is not null
