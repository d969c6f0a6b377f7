-- Which changes rest on a jump that no source explains?
select
    s.iso3,
    i.title,
    j.from_year,
    j.from_value,
    j.to_year,
    j.to_value,
    round(j.world_percentile, 1) as world_percentile,
    s.status,
    j.reason
from indicator_scores as s
inner join series_jumps as j
    on
        s.framework_id = j.framework_id
        and s.iso3 = j.iso3
        and s.indicator_id = j.indicator_id
        and s.undecided_jump_year = j.to_year
inner join indicators as i
    on s.indicator_id = i.indicator_id
where s.framework_id = 'carec_2030'
order by j.world_percentile desc, s.iso3, i.title;
