-- The sub-themes of every framework. A framework without sub-themes in the seed has the sub-themes that its indicators
-- name, with equal weights.
select
    subthemes.framework_id,
    subthemes.pillar_id,
    subthemes.subtheme_id,
    coalesce(subthemes.weight, 1) as weight,
    coalesce(subthemes.register_only, false) as register_only
from {{ ref('subthemes') }} as subthemes
union all by name
select distinct
    framework_indicators.framework_id,
    framework_indicators.pillar_id,
    framework_indicators.subtheme_id,
    1.0::double as weight,
    false as register_only
from {{ ref('framework_indicators') }} as framework_indicators
anti join {{ ref('subthemes') }} as subthemes
    on framework_indicators.framework_id = subthemes.framework_id
