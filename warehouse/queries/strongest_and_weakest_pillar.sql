-- Which pillar is each member's strongest, and which its weakest?
select
    e.name,
    arg_max(p.pillar_id, p.score) as strongest,
    max(p.score) as highest_score,
    arg_min(p.pillar_id, p.score) as weakest,
    min(p.score) as lowest_score
from pillar_scores as p
inner join pillars using (framework_id, pillar_id)
inner join economies as e
    on p.iso3 = e.iso3
where p.framework_id = 'carec_2030' and pillars.in_overall
group by e.name
order by e.name;
