-- Where do two origins of one quantity differ most, and what would the level be with the other origin?
select
    iso3,
    indicator_id,
    common_year as year,
    common_declared_value as declared_value,
    common_other_value as other_value,
    difference,
    declared_level_score,
    other_level_score,
    reason
from second_origins
where framework_id = 'carec_2030' and difference is not null
order by abs(difference) desc, iso3;
