-- Kind `rank_in_group`: the place among all economies of the same income group in the edition, members or not.
-- 1 is the best; ties share a place.
select
    evidence.claim_id,
    evidence.indicator_id,
    'national' as variant,
    figures.iso3,
    figures.year,
    rank() over (
        partition by evidence.claim_id, evidence.indicator_id, figures.year, figures.income_group
        order by case when evidence.direction = 'lower_is_better' then figures.value else -figures.value end
    )::double as figure,
    figures.provider,
    figures.vintage_at,
    figures.source_url
from {{ ref('int_claim_evidence') }} as evidence
inner join {{ ref('int_claim_observations') }} as figures
    on evidence.indicator_id = figures.indicator_id
where evidence.kind = 'rank_in_group' and figures.income_group is not null
qualify figures.is_member
