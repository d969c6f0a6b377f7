-- In which indicators of skills is Tajikistan furthest from the mean of ASEAN?
select title, value, year, other_value as asean_mean, other_members as asean_members, value_difference, unit
from v_compare
where iso3 = 'TJK' and other_id = 'asean' and pillar_id = 'p4' and kind = 'indicator'
order by value_difference / other_value nulls last, title;
