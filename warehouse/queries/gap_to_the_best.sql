-- How many points is each member behind the best member, and behind ASEAN?
select
    iso3,
    score,
    best_member_iso3,
    gap_to_best_member,
    gap_to_asean
from gaps
where framework_id = 'carec_2030' and pillar_id = 'overall'
order by score desc nulls last, iso3;
