-- Sub-themes -> pillars, for every economy. Coverage counts only what the framework can score: a sub-theme without
-- public data (register_only) is not in the denominator, and is listed in a column of its own. A framework may state a
-- value for a pillar without a score (seed pillar_fills): is_filled marks it, and score_reason says what is missing.
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
        frameworks.pillar_gate,
        frameworks.pillar_aggregation as aggregation,
        case when not subthemes.register_only then coalesce(scores.coverage, 0) end as coverage,
        case when not subthemes.register_only then (scores.score is not null)::integer end as is_scored,
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
        pillar_gate,
        aggregation,
        {{ weighted_mean('part', 'weight') }} as mean,
        {{ weighted_mean('coverage', 'weight') }} as coverage,
        {{ weighted_mean('is_scored', 'weight') }} as share_scored,
        coalesce(sum(indicators_scored), 0)::integer as indicators_scored,
        coalesce(sum(indicators_total), 0)::integer as indicators_total,
        count_if(not register_only)::integer as subthemes_measurable,
        count(*)::integer as subthemes_total,
        {{ names('case when register_only then subtheme_id end') }} as register_only
    from subthemes
    group by all
),

gated as (
    select
        measured.*,
        measured.coverage >= measured.coverage_gate - parameters.coverage_tolerance
        and measured.share_scored >= measured.pillar_gate - parameters.coverage_tolerance
        and measured.mean is not null as is_scored
    from measured
    cross join {{ ref('int_parameters') }} as parameters
)

select
    gated.* exclude (aggregation, mean, is_scored, pillar_gate, share_scored),
    case
        when gated.is_scored then {{ from_mean('gated.mean', 'gated.aggregation') }}
        else coalesce(own.fill_score, general.fill_score)
    end as score,
    not coalesce(gated.is_scored, false) and coalesce(own.fill_score, general.fill_score) is not null as is_filled,
    case
        when gated.coverage is null then 'register_only'
        when gated.coverage = 0 then 'no_data'
        when not gated.is_scored then 'coverage_below_gate'
    end as score_reason
from gated
left join {{ ref('pillar_fills') }} as own
    on gated.framework_id = own.framework_id and gated.pillar_id = own.pillar_id and gated.iso3 = own.iso3
left join {{ ref('pillar_fills') }} as general
    on gated.framework_id = general.framework_id and gated.pillar_id = general.pillar_id and general.iso3 is null
