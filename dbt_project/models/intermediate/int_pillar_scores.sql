-- Sub-themes -> pillars, for every economy. Coverage counts only what the framework can score: a sub-theme without
-- public data (register_only) is not in the denominator, and is listed in a column of its own.
with subthemes as (
    select
        pillars.framework_id,
        as_of_years.as_of_year,
        as_of_years.iso3,
        pillars.pillar_id,
        pillars.in_overall,
        pillars.weight as pillar_weight,
        subthemes.subtheme_id,
        subthemes.weight,
        subthemes.register_only,
        scores.indicators_scored,
        scores.indicators_total,
        frameworks.coverage_gate,
        frameworks.pillar_aggregation as aggregation,
        case when not subthemes.register_only then coalesce(scores.coverage, 0) end as coverage,
        {{ to_mean('scores.score', 'frameworks.pillar_aggregation', 'frameworks.geometric_floor') }} as part
    from {{ ref('int_pillars') }} as pillars
    inner join {{ ref('int_frameworks') }} as frameworks
        on pillars.framework_id = frameworks.framework_id
    inner join {{ ref('int_as_of_years') }} as as_of_years
        on pillars.framework_id = as_of_years.framework_id
    inner join {{ ref('int_subthemes') }} as subthemes
        on pillars.framework_id = subthemes.framework_id and pillars.pillar_id = subthemes.pillar_id
    left join {{ ref('int_subtheme_scores') }} as scores
        on
            subthemes.framework_id = scores.framework_id
            and subthemes.pillar_id = scores.pillar_id
            and subthemes.subtheme_id = scores.subtheme_id
            and as_of_years.as_of_year = scores.as_of_year
            and as_of_years.iso3 = scores.iso3
),

measured as (
    select
        framework_id,
        as_of_year,
        iso3,
        pillar_id,
        in_overall,
        pillar_weight as weight,
        coverage_gate,
        aggregation,
        {{ weighted_mean('part', 'weight', 'subtheme_id') }} as mean,
        {{ weighted_mean('coverage', 'weight', 'subtheme_id') }} as coverage,
        coalesce(sum(indicators_scored), 0)::integer as indicators_scored,
        coalesce(sum(indicators_total), 0)::integer as indicators_total,
        count_if(not register_only)::integer as subthemes_measurable,
        count(*)::integer as subthemes_total,
        string_agg(case when register_only then subtheme_id end, ', ' order by subtheme_id) as register_only
    from subthemes
    group by all
)

select
    measured.* exclude (aggregation, mean),
    case
        when measured.coverage >= measured.coverage_gate - parameters.coverage_tolerance
            then {{ from_mean('measured.mean', 'measured.aggregation') }}
    end as score,
    case
        when measured.coverage is null then 'register_only'
        when measured.coverage = 0 then 'no_data'
        when measured.coverage < measured.coverage_gate - parameters.coverage_tolerance then 'coverage_below_gate'
    end as score_reason
from measured
cross join {{ ref('int_parameters') }} as parameters
