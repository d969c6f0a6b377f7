-- Which unusual changes of members does no source explain?
select
    iso3,
    indicator_id,
    from_year,
    from_value,
    to_year,
    to_value,
    round(world_percentile, 1) as world_percentile,
    reason
from series_jumps
where framework_id = 'carec_2030' and decision = 'undecided'
order by series_jumps.world_percentile desc, iso3, indicator_id;
