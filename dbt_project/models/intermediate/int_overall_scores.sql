-- The mean of the pillars that count, only where each of them has a score: leaving out a weak one would raise it.
select
    framework_id,
    as_of_year,
    iso3,
    case when count(score) = count(*) then {{ weighted_mean('score', '1', 'pillar_id') }} end as score,
    {{ weighted_mean('coverage', '1', 'pillar_id') }} as coverage,
    case when count(score) < count(*) then 'pillar_missing' end as score_reason
from {{ ref('int_pillar_scores') }}
where in_overall
group by all
