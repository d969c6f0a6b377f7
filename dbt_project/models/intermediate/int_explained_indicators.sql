-- The score of each indicator, from the observation to the status: one row per line of the explanation, with codes and
-- operands instead of texts.
with cells as (
    select
        scores.*,
        indicators.unit,
        indicators.shape,
        indicators.valid_min,
        indicators.valid_max,
        {{ limits('indicators', 'benchmarks', 'parameters') }},
        case
            when indicators.shape = 'saturating' then coalesce(benchmarks.met_value, benchmarks.target_value)
            else scores.target_value
        end as goal,
        {{ pace_met_value('benchmarks') }} as pace_mark,
        parameters.logit_share_limit as share_limit,
        slopes.slope is not null and scores.trend is not null and indicators.shape = 'saturating' as is_logit,
        slopes.measurements,
        benchmarks.* exclude (
            framework_id, indicator_id, baseline_year, target_value, target_year, pace_target_value, source_url
        ),
        benchmarks.source_url as target_url,
        [latest.provider, latest.provider_code, latest.provider_release] as latest_series,
        latest.source_url as latest_url,
        [first.provider, first.provider_code, first.provider_release] as baseline_series,
        first.source_url as baseline_url,
        origins.other_indicator_id,
        origins.declared_origin,
        origins.other_origin,
        origins.other_year,
        origins.other_value,
        origins.other_level_score,
        origins.common_year,
        origins.common_declared_value,
        origins.common_other_value,
        origins.difference,
        origins.is_exchanged,
        origins.reason as origin_reason,
        [other.provider, other.provider_code, other.provider_release] as other_series,
        other.source_url as other_url,
        jumps.from_year as jump_from_year,
        jumps.from_value as jump_from_value,
        jumps.to_value as jump_to_value,
        jumps.world_percentile as jump_percentile,
        {{ logit('scores.latest_value', 'indicators.valid_max', 'parameters.logit_share_limit') }} as logit,
        -- a value without a logarithm is beyond every goalpost
        benchmarks.transform = 'log' and scores.latest_value <= 0 as is_beyond
    from {{ ref('indicator_scores') }} as scores
    inner join {{ ref('indicators') }} as indicators
        on scores.indicator_id = indicators.indicator_id
    left join {{ ref('benchmarks') }} as benchmarks
        on scores.framework_id = benchmarks.framework_id and scores.indicator_id = benchmarks.indicator_id
    left join {{ ref('observations') }} as latest
        on
            scores.indicator_id = latest.indicator_id
            and scores.iso3 = latest.iso3
            and scores.latest_year = latest.year
    left join {{ ref('observations') }} as first
        on
            scores.indicator_id = first.indicator_id
            and scores.iso3 = first.iso3
            and scores.baseline_year = first.year
    left join {{ ref('int_slopes') }} as slopes
        on
            scores.framework_id = slopes.framework_id
            and scores.as_of_year = slopes.as_of_year
            and scores.indicator_id = slopes.indicator_id
            and scores.iso3 = slopes.iso3
    left join {{ ref('second_origins') }} as origins
        on
            scores.framework_id = origins.framework_id
            and scores.indicator_id = origins.indicator_id
            and scores.iso3 = origins.iso3
    left join {{ ref('observations') }} as other
        on
            origins.other_indicator_id = other.indicator_id
            and origins.iso3 = other.iso3
            and origins.other_year = other.year
    left join {{ ref('series_jumps') }} as jumps
        on
            scores.framework_id = jumps.framework_id
            and scores.indicator_id = jumps.indicator_id
            and scores.iso3 = jumps.iso3
            and scores.undecided_jump_year = jumps.to_year
    cross join {{ ref('int_parameters') }} as parameters
),

spelled as (
    select
        *,
        '100 * ' || {{ ratio_text('latest_value', 'floor_value', 'target_value', 'transform', 'shape') }} as level_text,
        '100 * '
        || {{ ratio_text('other_value', 'floor_value', 'target_value', 'transform', 'shape') }} as other_level_text,
        {{ projection_text(
            'latest_value', "format('({}) * ({} - {})', kept_trend, target_year, measured_year)",
            'transform', 'shape', 'logit', 'valid_max'
        ) }} as projection_text,
        {%- for point in ['latest_value', 'baseline_value', 'goal', 'pace_mark'] %}
        {{ h_text(point, 'transform', 'shape', 'valid_max', 'share_limit') }} as {{ point }}_text
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from cells
),

-- a line lists only the fields that it has: DuckDB fills the others with NULL
lines as (
    select
        framework_id,
        iso3,
        'indicator' as subject,
        indicator_id as subject_id,
        unnest([
            {
                'step': 1,
                'label_code': 'observation',
                'value': latest_value,
                'note_code': case
                    when measured_year < latest_year then 'repeated_figure'
                    when latest_year is not null then 'year_and_unit'
                end,
                'source_code': case when latest_series[1] is not null then 'series' end,
                'source_url': latest_url,
                'operands': to_json({
                    'year': latest_year, 'measured': measured_year, 'unit': unit, 'series': latest_series
                })
            },
            {
                'step': 2,
                'label_code': 'floor',
                'value': floor_value,
                'note_code': 'basis',
                'source_code': 'own_benchmark',
                'operands': to_json({ 'basis': floor_basis })
            },
            {
                'step': 3,
                'label_code': 'target',
                'value': target_value,
                'note_code': 'basis_for_year',
                'source_code': 'own_benchmark_after',
                'source_url': target_url,
                'operands': to_json({ 'basis': target_basis, 'year': target_year, 'title': source_title })
            },
            {
                'step': 4,
                'label_code': 'level',
                'arithmetic': case
                    when level_score is null or is_beyond then null
                    when level_score in (0, 100) then 'least(greatest(' || level_text || ', 0), 100)'
                    else level_text
                end,
                'value': level_score,
                'note_code': case when level_score is null then 'reason' when is_beyond then 'no_logarithm' end,
                'operands': to_json({ 'reason': status_reason })
            },
            {
                'step': 5,
                'label_code': 'baseline',
                'value': baseline_value,
                'note_code': 'year_and_unit',
                'source_code': 'series',
                'source_url': baseline_url,
                'operands': to_json({ 'year': baseline_year, 'unit': unit, 'series': baseline_series })
            },
            {
                'step': 6,
                'label_code': 'attainment',
                'arithmetic': case
                    when attainment is not null
                        then
                            format(
                                '({0} - {1}) / ({2} - {1})', latest_value_text, baseline_value_text, goal_text
                            )
                end,
                'value': attainment,
                'note_code': 'share_of_the_way'
            },
            {
                'step': 7,
                'label_code': 'due',
                'arithmetic': format(
                    '({} - {}) / ({} - {})', measured_year, baseline_year, target_year, baseline_year
                ),
                'value': due,
                'note_code': 'share_of_the_time'
            },
            {
                'step': 8,
                'label_code': 'ahead_or_behind',
                'arithmetic': '(' || attainment || ') - ' || due,
                'value': ahead_behind,
                'note_code': 'attainment_less_due'
            },
            {
                'step': 9,
                'label_code': 'observed_change',
                'value': observed_annual_change,
                'note_code': case
                    when transform = 'log' then 'slopes_of_logarithms'
                    when shape = 'parity' then 'slopes_to_parity'
                    else 'slopes'
                end,
                'operands': to_json({
                    'slope_basis': slope_basis,
                    'points': list_transform(measurements, lambda point: {
                        'code': 'point',
                        'operands': { 'year': point.year, 'value': {{ judged('point.value', 'shape') }} }
                    })
                })
            },
            {
                'step': 10,
                'label_code': 'trend',
                'value': case when is_logit then trend end,
                'note_code': 'slopes_of_logits',
                'operands': to_json({
                    'slope_basis': slope_basis,
                    'points': list_transform(measurements, lambda point: {
                        'code': 'point',
                        'operands': { 'year': point.year, 'value': point.value }
                    })
                })
            },
            {
                'step': 11,
                'label_code': 'noise_band',
                'value': noise_band,
                'note_code': case when abs(trend) <= noise_band then 'trend_is_noise' else 'trend_is_beyond_noise' end
            },
            {
                'step': 12,
                'label_code': 'required_change',
                'arithmetic': '(' || pace_mark_text || ' - ' || latest_value_text || ') / '
                || format('({} - {})', target_year, measured_year),
                'value': required_trend,
                'note_code': case
                    when pace_target_value = target_value then 'to_the_target_from_now'
                    else 'to_the_pace_target_from_now'
                end,
                'operands': to_json({ 'basis': pace_target_basis, 'value': pace_target_value })
            },
            {
                'step': 13,
                'label_code': 'pace_ratio',
                'arithmetic': '(' || trend || ') / (' || required_trend || ')',
                'value': pace_ratio,
                'note_code': 'observed_over_required'
            },
            {
                'step': 14,
                'label_code': 'projection',
                'arithmetic': case
                    when shape = 'parity' and latest_value > 1 then projection_text
                    when projection = lower_limit
                        then format('greatest({}, {})', projection_text, lower_limit)
                    when projection in (upper_limit, latest_value) and kept_trend <> 0
                        then format('least({}, {})', projection_text, projection)
                    else projection_text
                end,
                'value': projection,
                'note_code': case
                    when projection_low is null or projection_high is null then 'projected_alone'
                    else 'projected_within'
                end,
                'operands': to_json({
                    'year': target_year, 'method': projection_method, 'basis': interval_basis,
                    'interval': {
                        'code': case
                            when projection_low is null or projection_high is null then 'no_interval'
                            else 'interval'
                        end,
                        'operands': { 'low': projection_low, 'high': projection_high }
                    }
                })
            },
            {
                'step': 15,
                'label_code': 'probability_of_target',
                'value': probability_of_target,
                'note_code': 'share_of_past_errors',
                'operands': to_json({ 'year': target_year })
            },
            {
                'step': 16,
                'label_code': 'probability_of_pace_target',
                'value': case when pace_target_value <> target_value then probability_of_pace_target end,
                'note_code': 'share_of_past_errors',
                'operands': to_json({ 'year': target_year })
            },
            {
                'step': 17,
                'label_code': 'status',
                'note_code': case
                    when is_on_few_points then 'status_on_few_points'
                    when status_reason = 'met' and status = 'on_track' then 'status_of_pace_target'
                    when status_reason in ('pace', 'within_noise') and pace_target_value <> target_value
                        then 'status_of_pace_target'
                    else 'status_and_reason'
                end,
                'operands': to_json({
                    'status': status, 'reason': status_reason, 'points': points, 'pace_target': pace_target_value
                })
            },
            {
                'step': 18,
                'label_code': 'undecided_jump',
                'note_code': case when undecided_jump_year is not null then 'jump_in_the_change' end,
                'operands': to_json({
                    'year': undecided_jump_year, 'from_year': jump_from_year, 'from_value': jump_from_value,
                    'to_value': jump_to_value, 'percentile': jump_percentile
                })
            },
            {
                'step': 19,
                'label_code': 'other_origin',
                'value': other_value,
                'note_code': case
                    when other_indicator_id is null then null
                    when other_year is null then 'no_other_figure'
                    when other_level_score is null then 'other_figure_without_level'
                    else 'other_figure'
                end,
                'source_code': case when other_series[1] is not null then 'series' end,
                'source_url': other_url,
                'operands': to_json({
                    'origin': other_origin, 'year': other_year, 'unit': unit, 'series': other_series
                })
            },
            {
                'step': 20,
                'label_code': 'other_level',
                'arithmetic': case
                    when other_level_score is null or (transform = 'log' and other_value <= 0) then null
                    when other_level_score in (0, 100) then 'least(greatest(' || other_level_text || ', 0), 100)'
                    else other_level_text
                end,
                'value': other_level_score,
                'note_code': case when is_exchanged then 'enters_rank_scenarios' else 'enters_nothing' end
            },
            {
                'step': 21,
                'label_code': 'difference_of_origins',
                'arithmetic': '(' || common_other_value || ') - (' || common_declared_value || ')',
                'value': difference,
                'note_code': case
                    when origin_reason = 'same_figure' then 'other_equals_declared' else 'other_less_declared'
                end,
                'operands': to_json({
                    'other': other_origin, 'declared': declared_origin, 'year': common_year
                })
            }
        ], recursive := true)
    from spelled
)

select *
from lines
-- other lines without a value are left out: the status gives the reason
where
    value is not null
    or label_code in ('observation', 'level', 'status')
    or note_code in ('no_other_figure', 'jump_in_the_change')
