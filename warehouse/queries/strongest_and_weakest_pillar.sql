-- Which pillar is each member's strongest, and which its weakest?
select member, strongest_pillar, strongest_score, weakest_pillar, weakest_score
from v_members
order by member;
