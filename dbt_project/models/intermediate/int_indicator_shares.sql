-- The declared share of every indicator in the overall score: pillar, sub-theme and indicator weights multiplied. The
-- shares of a framework add up to 1. Sub-themes without a public indicator and pillars outside the overall score have
-- none.
with measured as (
    select
        framework_indicators.framework_id,
        framework_indicators.pillar_id,
        framework_indicators.subtheme_id,
        framework_indicators.indicator_id,
        coalesce(framework_indicators.weight, 1) as weight,
        subthemes.weight as subtheme_weight,
        pillars.weight as pillar_weight
    from {{ ref('framework_indicators') }} as framework_indicators
    inner join {{ ref('int_subthemes') }} as subthemes
        on
            framework_indicators.framework_id = subthemes.framework_id
            and framework_indicators.pillar_id = subthemes.pillar_id
            and framework_indicators.subtheme_id = subthemes.subtheme_id
    inner join {{ ref('int_pillars') }} as pillars
        on
            framework_indicators.framework_id = pillars.framework_id
            and framework_indicators.pillar_id = pillars.pillar_id
    where pillars.in_overall
),

subthemes as (
    select
        framework_id,
        pillar_id,
        subtheme_id,
        any_value(subtheme_weight) as subtheme_weight,
        any_value(pillar_weight) as pillar_weight,
        sum(weight) as indicator_weights
    from measured
    group by all
),

pillars as (
    select
        framework_id,
        pillar_id,
        any_value(pillar_weight) as pillar_weight,
        sum(subtheme_weight) as subtheme_weights
    from subthemes
    group by all
),

frameworks as (
    select
        framework_id,
        sum(pillar_weight) as pillar_weights
    from pillars
    group by all
)

select
    measured.framework_id,
    measured.indicator_id,
    measured.weight / subthemes.indicator_weights
    * measured.subtheme_weight / pillars.subtheme_weights
    * measured.pillar_weight / frameworks.pillar_weights as share
from measured
inner join subthemes using (framework_id, pillar_id, subtheme_id)
inner join pillars using (framework_id, pillar_id)
inner join frameworks using (framework_id)
