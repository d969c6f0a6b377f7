-- How is Georgia's level for internet use computed, step by step?
select
    step,
    item,
    arithmetic,
    value,
    note,
    source
from score_explanation
where framework_id = 'carec_2030' and iso3 = 'GEO' and subject = 'indicator' and subject_id = 'internet_users_pct'
order by step;
