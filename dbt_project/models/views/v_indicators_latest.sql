{%- set framework = "'" ~ var('framework') ~ "'" -%}
with paths as (
    select
        framework_id,
        iso3,
        indicator_id,
        any_value(expected_this_year) as expected_this_year,
        arg_max(distance_to_path, year) as gap_to_path
    from {{ published('trajectories') }}
    where framework_id = {{ framework }}
    group by all
),

joined as (
    select
        scores.*,
        economies.name as member,
        indicators.title as indicator,
        indicators.direction,
        indicators.shape,
        indicators.unit as unit_code,
        indicators.max_age_years,
        indicators.origin,
        pillars.title as pillar,
        pillars.in_overall,
        subthemes.title as subtheme,
        places.role = 'proxy' as is_proxy,
        benchmarks.transform,
        benchmarks.target_basis,
        paths.expected_this_year,
        paths.gap_to_path,
        figures.provider,
        figures.provider_code,
        figures.provider_release,
        figures.source_url,
        figures.licence,
        figures.retrieved_at,
        case
            when scores.status_reason = 'not_comparable_edition' then 'level_only' else scores.status
        end as sign,
        case when indicators.direction = 'lower_is_better' then -1 else 1 end as sense
    from {{ published('indicator_scores') }} as scores
    inner join {{ published('economies') }} as economies
        on scores.iso3 = economies.iso3
    inner join {{ published('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    inner join {{ published('framework_indicators') }} as places
        on scores.framework_id = places.framework_id and scores.indicator_id = places.indicator_id
    left join {{ published('pillars') }} as pillars
        on scores.framework_id = pillars.framework_id and scores.pillar_id = pillars.pillar_id
    left join {{ published('subthemes') }} as subthemes
        on
            scores.framework_id = subthemes.framework_id
            and scores.pillar_id = subthemes.pillar_id
            and scores.subtheme_id = subthemes.subtheme_id
    left join {{ published('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    left join paths
        on
            scores.framework_id = paths.framework_id
            and scores.iso3 = paths.iso3
            and scores.indicator_id = paths.indicator_id
    left join {{ published('observations') }} as figures
        on
            scores.iso3 = figures.iso3
            and scores.indicator_id = figures.indicator_id
            and scores.latest_year = figures.year
    where scores.framework_id = {{ framework }}
),

-- a ratio above parity counts as its inverse
compared as (
    select
        *,
        {% for figure in ['latest_value', 'expected_this_year', 'target_value'] %}
        case when shape = 'parity' and {{ figure }} > 1 then 1 / {{ figure }} else {{ figure }} end * sense
            as good_{{ figure }},
        {% endfor %}
        {% for change in ['observed_annual_change', 'required_annual_change_from_now'] %}
        case transform when 'log' then 100 * (exp({{ change }}) - 1) else {{ change }} end as {{ change }}_shown
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from joined
)

select
    compared.iso3,
    compared.member,
    compared.indicator_id,
    compared.indicator,
    compared.pillar_id,
    compared.pillar,
    compared.subtheme_id,
    compared.subtheme,
    compared.in_overall,
    compared.is_proxy,
    compared.latest_value as value,
    {{ in_words('units', 'compared.unit_code') }} as unit,
    case
        when compared.shape = 'parity' then 'nearer to 1'
        when compared.direction = 'lower_is_better' then 'lower'
        else 'higher'
    end as better,
    compared.latest_year as year,
    compared.measured_year,
    compared.as_of_year - compared.measured_year as age_years,
    compared.max_age_years,
    compared.level_score as level,
    compared.points_lost,
    {{ in_words('statuses', 'compared.sign') }} as status,
    {{ in_words('reasons', 'compared.status_reason') }} as status_because,
    compared.status as status_code,
    compared.status_reason as reason_code,
    compared.is_on_few_points as rests_on_few_figures,
    compared.baseline_value,
    compared.baseline_year,
    compared.target_value,
    compared.target_year,
    compared.target_basis,
    compared.pace_target_value,
    compared.expected_this_year,
    compared.good_latest_value - compared.good_expected_this_year as gap_to_expected,
    compared.gap_to_path,
    compared.good_latest_value - compared.good_target_value as gap_to_target,
    compared.observed_annual_change_shown as change_per_year,
    compared.required_annual_change_from_now_shown as needed_per_year,
    case
        when compared.transform = 'log' then '% of the value a year'
        when starts_with({{ in_words('units', 'compared.unit_code') }}, '%') then 'percentage points a year'
        else {{ in_words('units', 'compared.unit_code') }} || ', a year'
    end as change_unit,
    compared.pace_ratio,
    compared.projection,
    compared.projection_low,
    compared.projection_high,
    compared.probability_of_target,
    compared.projected_target_year,
    compared.origin,
    compared.provider as source,
    compared.provider_code as source_series,
    compared.provider_release as source_release,
    compared.source_url,
    compared.licence,
    compared.retrieved_at::date as retrieved_on
from compared
left join {{ published('code_words') }} as units
    on compared.unit_code = units.code and units.kind = 'unit'
left join {{ published('code_words') }} as statuses
    on compared.sign = statuses.code and statuses.kind = 'status'
left join {{ published('code_words') }} as reasons
    on compared.status_reason = reasons.code and reasons.kind = 'reason'
order by compared.iso3, compared.pillar_id, compared.subtheme_id, compared.indicator_id
