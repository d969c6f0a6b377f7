-- The members' figures of quantities that two origins measure, side by side.
select
    origins.framework_id,
    origins.iso3,
    origins.indicator_id,
    indicators.origin as declared_origin,
    declared.provider as declared_provider,
    origins.declared_year,
    origins.declared_value,
    origins.declared_level_score,
    origins.other_indicator_id,
    other_indicators.origin as other_origin,
    other.provider as other_provider,
    origins.other_year,
    origins.other_value,
    origins.other_level_score,
    origins.common_year,
    origins.common_declared_value,
    origins.common_other_value,
    origins.difference,
    origins.is_exchanged,
    origins.reason
from {{ ref('int_second_origins') }} as origins
inner join {{ ref('int_members') }}
    using (framework_id, iso3, as_of_year)
inner join {{ ref('indicators') }} as indicators
    on origins.indicator_id = indicators.indicator_id
inner join {{ ref('indicators') }} as other_indicators
    on origins.other_indicator_id = other_indicators.indicator_id
left join {{ ref('observations') }} as declared
    on
        origins.indicator_id = declared.indicator_id
        and origins.iso3 = declared.iso3
        and origins.declared_year = declared.year
left join {{ ref('observations') }} as other
    on
        origins.other_indicator_id = other.indicator_id
        and origins.iso3 = other.iso3
        and origins.other_year = other.year
order by origins.framework_id, origins.indicator_id, origins.iso3
