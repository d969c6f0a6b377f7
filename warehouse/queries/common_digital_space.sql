-- How many members are a party to each treaty, and how much of their collaboration on GitHub stays inside the group?
select measure, subject_id, group_id, year, value, unit, members_with_value, members_total, reason
from regional_space
where iso3 is null and measure in ('treaty_parties', 'github_within_share')
order by measure, subject_id, group_id, year;
