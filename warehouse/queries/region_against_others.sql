-- How does the region compare with ASEAN, the EU and the world, with and without China?
select
    group_id,
    variant,
    score,
    score_without_afg,
    members_scored,
    members_total
from region_scores
where framework_id = 'carec_2030' and pillar_id = 'overall'
order by group_id = 'carec' desc, group_id, variant;
