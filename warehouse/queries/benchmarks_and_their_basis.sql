-- Where does each benchmark come from, and how well is it known?
select
    indicator_id,
    floor_value,
    target_value,
    target_basis,
    source_title,
    confidence
from benchmarks
where framework_id = 'carec_2030'
order by indicator_id;
