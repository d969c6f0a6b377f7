-- What is each member's score, and how certain is its rank?
select
    rank,
    name,
    overall_score,
    rank_p05,
    rank_p95,
    share_top3,
    coverage,
    score_reason
from scorecard
where framework_id = 'carec_2030'
order by rank nulls last, name;
