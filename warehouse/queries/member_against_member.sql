-- How does Uzbekistan compare with Kazakhstan, pillar by pillar, and how sure is their order?
select title, score, other_score, score_difference, share_of_scenarios_above, is_tie
from v_compare
where iso3 = 'UZB' and other_id = 'KAZ' and kind <> 'indicator'
order by kind, id;
