-- What is each member's score, how certain is its rank, and with whom is it tied?
select rank, member, score, tied_with, rank_low, rank_high, share_top3, coverage, score_because, p1, p2, p3, p4, p5
from v_members
order by rank nulls last, member;
