-- The laws, agencies, platforms and pilots that the review reports, for what no series measures.
select
    claims.claim_id,
    claims.country_iso3,
    types.kind,
    case when claims.comparator = 'range' then claims.baseline_year end as from_year,
    claims.value_year as year,
    claims.pillar,
    types.subtheme_id,
    coalesce(subthemes.title, types.theme) as subtheme,
    claims.status_word as status,
    claims.statement,
    claims.section
from {{ ref('claims') }} as claims
left join {{ ref('milestone_types') }} as types
    on claims.claim_id = types.claim_id
left join {{ ref('subthemes') }} as subthemes
    on types.subtheme_id = subthemes.subtheme_id and subthemes.framework_id = '{{ var("framework") }}'
where claims.measure = 'milestone'
order by claims.claim_id
