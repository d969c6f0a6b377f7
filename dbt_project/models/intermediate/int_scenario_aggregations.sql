-- The two aggregations of every framework: the declared one, and the other one at every level. If a geometric mean
-- replaces an arithmetic one, scores are moved from 0..100 to 1..100, so that one score of 0 does not make the mean 0.
with others as (
    select
        framework_id,
        case
            when 'geometric' in (subtheme_aggregation, pillar_aggregation, aggregation) then 'arithmetic'
            else 'geometric'
        end as aggregation
    from {{ ref('int_frameworks') }}
)

select
    framework_id,
    'declared' as aggregation,
    subtheme_aggregation,
    pillar_aggregation,
    aggregation as overall_aggregation,
    geometric_floor,
    0.0::double as lowest_value
from {{ ref('int_frameworks') }}
union all by name
select
    framework_id,
    aggregation,
    aggregation as subtheme_aggregation,
    aggregation as pillar_aggregation,
    aggregation as overall_aggregation,
    1.0::double as geometric_floor,
    case when aggregation = 'geometric' then 1.0::double else 0.0::double end as lowest_value
from others
