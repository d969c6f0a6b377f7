-- One row per framework that has indicators. Settings that the seed leaves empty have their defaults, so that a
-- framework can be added with indicators and benchmarks alone.
with named as (
    select distinct framework_id
    from {{ ref('framework_indicators') }}
)

select
    named.framework_id,
    frameworks.scored_group,
    coalesce(frameworks.aggregation, 'arithmetic') as aggregation,
    coalesce(frameworks.pillar_aggregation, 'arithmetic') as pillar_aggregation,
    coalesce(frameworks.subtheme_aggregation, 'arithmetic') as subtheme_aggregation,
    coalesce(frameworks.geometric_floor, parameters.geometric_floor) as geometric_floor,
    coalesce(frameworks.coverage_gate, parameters.coverage_gate) as coverage_gate,
    coalesce(frameworks.subtheme_gate, 0) as subtheme_gate,
    coalesce(frameworks.pillar_gate, 0) as pillar_gate,
    coalesce(frameworks.overall_gate, 1) as overall_gate,
    coalesce(frameworks.indicators_gate, 0) as indicators_gate,
    frameworks.rank_digits,
    coalesce(frameworks.history_from, parameters.history_from)::integer as history_from
from named
cross join {{ ref('int_parameters') }} as parameters
left join {{ ref('frameworks') }} as frameworks
    on named.framework_id = frameworks.framework_id
