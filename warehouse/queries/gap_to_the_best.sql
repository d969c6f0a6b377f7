-- How many points is each member behind the best member, and behind ASEAN?
select member, score, best_member, gap_to_best_member, gap_to_asean
from v_members
order by score desc nulls last, member;
