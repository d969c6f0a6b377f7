-- The ten recommendations of the review in our words, with the state of the region and what is missing to measure them.
with measures as (
    select
        recommendation_id,
        count(*) filter (where measure_kind = 'indicator') as indicators,
        count(*) filter (where measure_kind = 'indicator' and region_value is not null) as indicators_scored,
        count(*) filter (where measure_kind = 'indicator' and role = 'direct' and region_value is not null)
            as indicators_direct,
        count(*) filter (where measure_kind = 'panel') as panel_measures,
        count(*) filter (where measure_kind = 'claim') as claims,
        count(*) filter (
            where
            list_contains({{ var('verdicts')[:5] }}, verdict)
            or list_contains({{ var('documentary_verdicts')[:4] }}, documentary_verdict)
        ) as claims_decided,
        {{ weighted_mean("case when measure_kind = 'indicator' then region_value end", '1') }}
            as region_level
    from {{ ref('recommendation_measures') }}
    group by all
),

cells as (
    select
        measures.recommendation_id,
        scores.iso3,
        scores.indicator_id,
        scores.level_score,
        scores.status
    from {{ ref('review_recommendation_measures') }} as measures
    inner join {{ ref('indicator_scores') }} as scores
        on
            measures.measure_kind = 'indicator'
            and measures.measure_id = scores.indicator_id
            and scores.framework_id = '{{ var("framework") }}'
),

totals as (
    select
        recommendation_id,
        count(*) as figures_expected,
        count(*) filter (where level_score is null) as figures_missing,
        count(*) filter (where status <> 'insufficient_data') as figures_with_status,
        count(*) filter (where status in ('achieved', 'on_track')) as figures_on_path
    from cells
    group by all
),

-- members with a level in at least half of the indicators
members as (
    select
        recommendation_id,
        iso3,
        {{ weighted_mean('level_score', '1') }} as level
    from cells
    group by all
    having 2 * count(level_score) >= count(*)
),

placed as (
    select
        *,
        row_number() over (partition by recommendation_id order by {{ rank_key('level') }}, iso3) as place
    from members
),

behind as (
    select
        recommendation_id,
        string_agg(iso3, ', ' order by place) filter (where place <= 3) as behind
    from placed
    group by all
)

select
    review.recommendation_id,
    review.kind,
    review.document_line::integer as document_line,
    review.title,
    review.recommendation,
    coalesce(measures.indicators, 0)::integer as indicators,
    coalesce(measures.indicators_scored, 0)::integer as indicators_scored,
    coalesce(measures.indicators_direct, 0)::integer as indicators_direct,
    coalesce(measures.panel_measures, 0)::integer as panel_measures,
    coalesce(measures.claims, 0)::integer as claims,
    coalesce(measures.claims_decided, 0)::integer as claims_decided,
    measures.region_level,
    case
        when measures.region_level is not null then null
        when coalesce(measures.indicators, 0) = 0 then 'no_indicator'
        else 'no_data'
    end as reason,
    coalesce(totals.figures_on_path, 0)::integer as figures_on_path,
    coalesce(totals.figures_with_status, 0)::integer as figures_with_status,
    coalesce(totals.figures_missing, 0)::integer as figures_missing,
    coalesce(totals.figures_expected, 0)::integer as figures_expected,
    behind.behind,
    review.not_measured
from {{ ref('review_recommendations') }} as review
left join measures on review.recommendation_id = measures.recommendation_id
left join totals on review.recommendation_id = totals.recommendation_id
left join behind on review.recommendation_id = behind.recommendation_id
order by review.kind desc, review.recommendation_id asc
