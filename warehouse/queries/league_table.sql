-- What is each member's score, how certain is its rank, and with whom is it tied?
select
    rank,
    name,
    overall_score,
    tied_with,
    rank_p05,
    rank_p95,
    share_top3,
    coverage,
    score_reason
from scorecard
where framework_id = 'carec_2030'
order by rank nulls last, name;
