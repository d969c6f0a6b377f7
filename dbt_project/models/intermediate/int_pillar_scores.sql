-- Indicators -> sub-themes -> pillars, for every economy. Coverage counts what the framework can score of: a sub-theme
-- without public data (register_only) is out of the denominator and named beside.
with subtheme_scores as (
    select
        framework_id,
        as_of_year,
        iso3,
        pillar_id,
        subtheme_id,
        {{ weighted_mean('level_score', 'weight', 'indicator_id') }} as score,
        coalesce(sum(weight order by indicator_id) filter (where level_score is not null), 0)
        / sum(weight order by indicator_id) as coverage,
        count(level_score) as indicators_scored,
        count(*) as indicators_total
    from {{ ref('int_indicator_scores') }}
    group by all
),

measured as (
    select
        pillars.framework_id,
        as_of_years.as_of_year,
        economies.iso3,
        pillars.pillar_id,
        pillars.in_overall,
        {{ weighted_mean('scores.score', 'subthemes.weight', 'subthemes.subtheme_id') }} as score,
        {{ weighted_mean(
            'case when not subthemes.register_only then coalesce(scores.coverage, 0) end',
            'subthemes.weight', 'subthemes.subtheme_id'
        ) }} as coverage,
        coalesce(sum(scores.indicators_scored), 0)::integer as indicators_scored,
        coalesce(sum(scores.indicators_total), 0)::integer as indicators_total,
        count_if(not subthemes.register_only)::integer as subthemes_measurable,
        count(*)::integer as subthemes_total,
        string_agg(
            case when subthemes.register_only then subthemes.subtheme_id end, ', ' order by subthemes.subtheme_id
        ) as register_only
    from {{ ref('pillars') }} as pillars
    cross join {{ ref('int_as_of_years') }} as as_of_years
    cross join {{ ref('economies') }} as economies
    inner join {{ ref('subthemes') }} as subthemes
        on pillars.framework_id = subthemes.framework_id and pillars.pillar_id = subthemes.pillar_id
    left join subtheme_scores as scores
        on
            subthemes.framework_id = scores.framework_id
            and subthemes.pillar_id = scores.pillar_id
            and subthemes.subtheme_id = scores.subtheme_id
            and as_of_years.as_of_year = scores.as_of_year
            and economies.iso3 = scores.iso3
    where not economies.is_aggregate
    group by all
)

select
    measured.* exclude (score),
    case
        when measured.coverage >= parameters.coverage_gate - parameters.coverage_tolerance then measured.score
    end as score,
    case
        when measured.coverage is null then 'register_only'
        when measured.coverage = 0 then 'no_data'
        when measured.coverage < parameters.coverage_gate - parameters.coverage_tolerance then 'coverage_below_gate'
    end as score_reason
from measured
cross join {{ ref('int_parameters') }} as parameters
