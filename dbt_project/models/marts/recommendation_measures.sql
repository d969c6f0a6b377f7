-- The measures that follow each recommendation of the review, with the region's state: the mean level of an indicator,
-- the verdicts on a claim, or a figure of the regional panel.
with cells as (
    select
        indicator_id,
        iso3,
        level_score,
        measured_year,
        status,
        row_number() over (partition by indicator_id order by level_score asc nulls last, iso3 asc) as place
    from {{ ref('indicator_scores') }}
    where framework_id = '{{ var("framework") }}'
),

scored as (
    select
        indicator_id,
        {{ weighted_mean('level_score', '1') }} as region_value,
        max(measured_year) filter (where level_score is not null) as year,
        count(level_score) as members_with_value,
        count(*) as members_total,
        count(*) filter (where status in ('achieved', 'on_track')) as members_on_path,
        string_agg(iso3, ', ' order by place) filter (where place <= 3 and level_score is not null) as behind
    from cells
    group by all
),

panel as (
    select
        concat_ws('.', measure, subject_id, group_id) as measure_id,
        *
    from {{ ref('regional_space') }}
    where iso3 is null
    qualify row_number() over (partition by measure, subject_id, group_id order by value is null, year desc) = 1
)

select
    measures.recommendation_id,
    measures.measure_kind,
    measures.measure_id,
    measures.role,
    coalesce(indicators.title, claims.statement) as title,
    coalesce(indicators.indicator_id, panel.indicator_id) as indicator_id,
    coalesce(scored.region_value, panel.value) as region_value,
    case when scored.indicator_id is not null then 'level' else panel.unit end as unit,
    coalesce(scored.year, panel.year)::integer as year,
    coalesce(scored.members_with_value, panel.members_with_value)::integer as members_with_value,
    coalesce(scored.members_total, panel.members_total)::integer as members_total,
    scored.members_on_path::integer as members_on_path,
    scored.behind,
    claims.verdict,
    claims.documentary_verdict,
    case
        when measures.measure_kind = 'claim' or coalesce(scored.region_value, panel.value) is not null then null
        when measures.measure_kind = 'indicator' and scored.indicator_id is null then 'not_scored'
        else coalesce(panel.reason, 'no_data')
    end as reason
from {{ ref('review_recommendation_measures') }} as measures
left join {{ ref('indicators') }} as indicators
    on measures.measure_kind = 'indicator' and measures.measure_id = indicators.indicator_id
left join scored
    on measures.measure_kind = 'indicator' and measures.measure_id = scored.indicator_id
left join {{ ref('claims_audit') }} as claims
    on measures.measure_kind = 'claim' and measures.measure_id = claims.claim_id
left join panel
    on measures.measure_kind = 'panel' and measures.measure_id = panel.measure_id
order by measures.recommendation_id, measures.measure_kind, measures.measure_id
