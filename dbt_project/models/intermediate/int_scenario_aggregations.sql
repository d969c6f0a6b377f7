-- The two ways of every framework to add up: as it declares, and the other one at every level. A geometric mean instead
-- of an arithmetic one is taken of scores moved from 0..100 to 1..100, so that one empty indicator does not empty all.
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
