{%- set framework = "'" ~ var('framework') ~ "'" -%}
with scores as (
    select
        iso3,
        as_of_year as year,
        pillar_id,
        score,
        score_reason
    from {{ published('pillar_history') }}
    where framework_id = {{ framework }}
    union all by name
    select
        iso3,
        as_of_year as year,
        'overall' as pillar_id,
        overall_score as score,
        score_reason
    from {{ published('scorecard_history') }}
    where framework_id = {{ framework }}
),

lines as (
    select
        'indicator' as kind,
        figures.indicator_id as id,
        figures.iso3,
        figures.year,
        indicators.title,
        places.pillar_id,
        {{ in_words('units', 'indicators.unit') }} as unit,
        indicators.edition_index as is_edition,
        figures.value,
        paths.path_value as expected,
        paths.distance_to_path as gap_to_path,
        null::double as change_like_for_like,
        null::double as score_like_for_like,
        null::varchar as because,
        figures.provider as source,
        figures.source_url,
        figures.licence
    from {{ published('observations') }} as figures
    inner join {{ published('indicators') }} as indicators
        on figures.indicator_id = indicators.indicator_id
    left join {{ published('framework_indicators') }} as places
        on figures.indicator_id = places.indicator_id and places.framework_id = {{ framework }}
    left join {{ published('trajectories') }} as paths
        on
            figures.iso3 = paths.iso3
            and figures.indicator_id = paths.indicator_id
            and figures.year = paths.year
            and paths.framework_id = {{ framework }}
    left join {{ published('code_words') }} as units
        on indicators.unit = units.code and units.kind = 'unit'
    union all by name
    select
        if(scores.pillar_id = 'overall', 'overall', 'pillar') as kind,
        scores.pillar_id as id,
        scores.iso3,
        scores.year,
        coalesce(pillars.title, 'Overall score') as title,
        nullif(scores.pillar_id, 'overall') as pillar_id,
        'score, 0–100' as unit,
        false as is_edition,
        scores.score as value,
        matched.change as change_like_for_like,
        matched.chained_score as score_like_for_like,
        {{ in_words('reasons', 'scores.score_reason') }} as because
    from scores
    left join {{ published('pillars') }} as pillars
        on scores.pillar_id = pillars.pillar_id and pillars.framework_id = {{ framework }}
    left join {{ published('matched_change') }} as matched
        on
            scores.iso3 = matched.iso3
            and scores.pillar_id = matched.pillar_id
            and scores.year = matched.year
            and matched.framework_id = {{ framework }}
    left join {{ published('code_words') }} as reasons
        on scores.score_reason = reasons.code and reasons.kind = 'reason'
)

select
    lines.kind,
    lines.iso3,
    members.name as member,
    lines.id,
    lines.title,
    lines.pillar_id,
    lines.year,
    lines.value,
    lines.unit,
    lines.is_edition,
    lines.expected,
    lines.gap_to_path,
    lines.change_like_for_like,
    lines.score_like_for_like,
    lines.because,
    lines.source,
    lines.source_url,
    lines.licence
from lines
inner join {{ published('scorecard') }} as members
    on lines.iso3 = members.iso3 and members.framework_id = {{ framework }}
order by lines.kind, lines.id, lines.iso3, lines.year
