-- The pillars of every framework. A framework without pillars in the seed has the pillars that its indicators name,
-- with equal weights.
select
    pillars.framework_id,
    pillars.pillar_id,
    coalesce(pillars.in_overall, true) as in_overall,
    coalesce(pillars.weight, 1) as weight
from {{ ref('pillars') }} as pillars
union all by name
select distinct
    framework_indicators.framework_id,
    framework_indicators.pillar_id,
    true as in_overall,
    1.0::double as weight
from {{ ref('framework_indicators') }} as framework_indicators
anti join {{ ref('pillars') }} as pillars
    on framework_indicators.framework_id = pillars.framework_id
