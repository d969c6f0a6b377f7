-- Every published score line by line, from the observation to the overall score, each line with its arithmetic as
-- text, its result, and who says so.
with cells as (
    select
        scores.*,
        indicators.unit,
        indicators.shape,
        indicators.valid_min,
        indicators.valid_max,
        slopes.measurements,
        slopes.logit_slope,
        {{ logit('scores.latest_value', 'indicators.valid_max', 'parameters.logit_share_limit') }} as logit,
        benchmarks.transform,
        benchmarks.floor_value,
        benchmarks.floor_basis,
        benchmarks.target_basis,
        benchmarks.pace_target_basis,
        benchmarks.source_title,
        benchmarks.source_url as target_url,
        concat_ws(', ', latest.provider, latest.provider_code, latest.provider_release) as latest_source,
        latest.source_url as latest_url,
        concat_ws(', ', first.provider, first.provider_code, first.provider_release) as baseline_source,
        first.source_url as baseline_url,
        '100 * ' || {{ ratio_text(
            'scores.latest_value', 'benchmarks.floor_value', 'scores.target_value', 'benchmarks.transform'
        ) }} as level_text,
        -- a value without a logarithm lies beyond every goalpost
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
    cross join {{ ref('int_parameters') }} as parameters
),

projected as (
    select
        *,
        {{ projection_text(
            'latest_value',
            "format('({}) * ({} - {})', case when shape = 'saturating' then logit_slope else observed_annual_change end, "
            ~ "target_year, latest_year)",
            'transform', 'shape', 'logit', 'valid_max'
        ) }} as projection_text
    from cells
),

indicator_lines as (
    select
        framework_id,
        iso3,
        'indicator' as subject,
        indicator_id as subject_id,
        unnest([
            {
                'step': 1,
                'item': 'observation',
                'arithmetic': null,
                'value': latest_value,
                'note': latest_year || ', ' || unit,
                'source': latest_source,
                'source_url': latest_url
            },
            {
                'step': 2,
                'item': 'floor (level 0)',
                'arithmetic': null,
                'value': floor_value,
                'note': floor_basis,
                'source': 'benchmark of this project',
                'source_url': null
            },
            {
                'step': 3,
                'item': 'target (level 100)',
                'arithmetic': null,
                'value': target_value,
                'note': target_basis || ', for ' || target_year,
                'source': 'benchmark of this project after ' || source_title,
                'source_url': target_url
            },
            {
                'step': 4,
                'item': 'level',
                'arithmetic': case
                    when level_score is null or is_beyond then null
                    when level_score in (0, 100) then 'least(greatest(' || level_text || ', 0), 100)'
                    else level_text
                end,
                'value': level_score,
                'note': case
                    when level_score is null then status_reason
                    when is_beyond then 'no logarithm: beyond every goalpost'
                end,
                'source': null,
                'source_url': null
            },
            {
                'step': 5,
                'item': 'baseline',
                'arithmetic': null,
                'value': baseline_value,
                'note': baseline_year || ', ' || unit,
                'source': baseline_source,
                'source_url': baseline_url
            },
            {
                'step': 6,
                'item': 'attainment',
                'arithmetic': case
                    when attainment is not null
                        then {{ ratio_text('latest_value', 'baseline_value', 'target_value', 'transform') }}
                end,
                'value': attainment,
                'note': 'share of the way from baseline to target',
                'source': null,
                'source_url': null
            },
            {
                'step': 7,
                'item': 'due',
                'arithmetic': format(
                    '({} - {}) / ({} - {})', latest_year, baseline_year, target_year, baseline_year
                ),
                'value': due,
                'note': 'share of the time from baseline to target year',
                'source': null,
                'source_url': null
            },
            {
                'step': 8,
                'item': 'ahead or behind',
                'arithmetic': '(' || attainment || ') - ' || due,
                'value': ahead_behind,
                'note': 'attainment less due',
                'source': null,
                'source_url': null
            },
            {
                'step': 9,
                'item': 'observed change a year',
                'arithmetic': null,
                'value': observed_annual_change,
                'note': slope_basis || ': median of the slopes between all pairs of '
                || case when transform = 'log' then 'the natural logarithms of ' else '' end
                || array_to_string(
                    list_transform(measurements, lambda point: format('{} ({})', point.value, point.year)), ', '
                ),
                'source': null,
                'source_url': null
            },
            {
                'step': 10,
                'item': 'required change a year',
                'arithmetic': case
                    when required_annual_change is not null
                        then
                            '(' || {{ g_text('pace_target_value', 'transform') }} || ' - '
                            || {{ g_text('baseline_value', 'transform') }} || ') / '
                            || format('({} - {})', target_year, baseline_year)
                end,
                'value': required_annual_change,
                'note': 'to the pace target: ' || pace_target_basis,
                'source': null,
                'source_url': null
            },
            {
                'step': 11,
                'item': 'pace ratio',
                'arithmetic': '(' || observed_annual_change || ') / (' || required_annual_change || ')',
                'value': pace_ratio,
                'note': 'observed over required',
                'source': null,
                'source_url': null
            },
            {
                'step': 12,
                'item': 'projection to ' || target_year,
                'arithmetic': case
                    when projection in (valid_min, valid_max)
                        then format('least(greatest({}, {}), {})', projection_text, valid_min, valid_max)
                    else projection_text
                end,
                'value': projection,
                'note': coalesce(format('{:.4g} to {:.4g}', projection_low, projection_high), 'no interval'),
                'source': null,
                'source_url': null
            },
            {
                'step': 13,
                'item': 'status',
                'arithmetic': null,
                'value': null::double,
                'note': status || ' (' || status_reason || ')',
                'source': null,
                'source_url': null
            }
        ], recursive := true)
    from projected
),

subthemes as (
    select
        members.framework_id,
        members.iso3,
        subthemes.pillar_id,
        subthemes.subtheme_id,
        subthemes.weight,
        subthemes.register_only,
        scores.score,
        case when not subthemes.register_only then coalesce(scores.coverage, 0) end as coverage
    from {{ ref('int_members') }} as members
    inner join {{ ref('int_subthemes') }} as subthemes
        on members.framework_id = subthemes.framework_id
    left join {{ ref('subtheme_scores') }} as scores
        on
            subthemes.framework_id = scores.framework_id
            and subthemes.pillar_id = scores.pillar_id
            and subthemes.subtheme_id = scores.subtheme_id
            and members.iso3 = scores.iso3
),

means_of_indicators as (
    select
        scores.framework_id,
        scores.iso3,
        scores.pillar_id,
        scores.subtheme_id,
        {{ mean_text(
            'scores.level_score', 'coalesce(places.weight, 1)', 'scores.indicator_id',
            'frameworks.subtheme_aggregation', 'frameworks.geometric_floor'
        ) }} as arithmetic,
        string_agg(
            scores.indicator_id
            || case when scores.level_score is null then ' (no level: ' || scores.status_reason || ')' else '' end,
            ', ' order by scores.indicator_id
        ) as note
    from {{ ref('indicator_scores') }} as scores
    inner join {{ ref('framework_indicators') }} as places
        on scores.framework_id = places.framework_id and scores.indicator_id = places.indicator_id
    inner join {{ ref('int_frameworks') }} as frameworks
        on scores.framework_id = frameworks.framework_id
    group by all
),

means_of_subthemes as (
    select
        subthemes.framework_id,
        subthemes.iso3,
        subthemes.pillar_id,
        {{ mean_text('coverage', 'weight', 'subtheme_id', "'arithmetic'", '0') }} as coverage_arithmetic,
        {{ mean_text(
            'score', 'weight', 'subtheme_id', 'frameworks.pillar_aggregation', 'frameworks.geometric_floor'
        ) }} as score_arithmetic,
        any_value(frameworks.coverage_gate) as coverage_gate
    from subthemes
    inner join {{ ref('int_frameworks') }} as frameworks
        on subthemes.framework_id = frameworks.framework_id
    group by all
),

pillars as (
    select
        scores.*,
        pillars.weight,
        pillars.in_overall
    from {{ ref('pillar_scores') }} as scores
    inner join {{ ref('int_pillars') }} as pillars
        on scores.framework_id = pillars.framework_id and scores.pillar_id = pillars.pillar_id
),

means_of_pillars as (
    select
        pillars.framework_id,
        pillars.iso3,
        {{ mean_text('coverage', 'weight', 'pillar_id', "'arithmetic'", '0') }} as coverage_arithmetic,
        {{ mean_text('score', 'weight', 'pillar_id', 'frameworks.aggregation', 'frameworks.geometric_floor') }}
            as score_arithmetic,
        count(*) as pillars_total
    from pillars
    inner join {{ ref('int_frameworks') }} as frameworks
        on pillars.framework_id = frameworks.framework_id
    where pillars.in_overall
    group by all
),

composite_lines as (
    select
        subthemes.framework_id,
        subthemes.iso3,
        'pillar' as subject,
        subthemes.pillar_id as subject_id,
        row_number() over (
            partition by subthemes.framework_id, subthemes.iso3, subthemes.pillar_id
            order by subthemes.subtheme_id
        ) as step,
        'sub-theme ' || subthemes.subtheme_id as item,
        means.arithmetic,
        subthemes.score as value,
        case when subthemes.register_only then 'register_only: no public indicator' else means.note end as note
    from subthemes
    left join means_of_indicators as means
        using (framework_id, iso3, pillar_id, subtheme_id)
    union all by name
    select
        pillars.framework_id,
        pillars.iso3,
        'pillar' as subject,
        pillars.pillar_id as subject_id,
        pillars.subthemes_total + 1 as step,
        'coverage' as item,
        means.coverage_arithmetic as arithmetic,
        pillars.coverage as value,
        format('a score needs {:g}', means.coverage_gate) as note
    from pillars
    inner join means_of_subthemes as means
        using (framework_id, iso3, pillar_id)
    union all by name
    select
        pillars.framework_id,
        pillars.iso3,
        'pillar' as subject,
        pillars.pillar_id as subject_id,
        pillars.subthemes_total + 2 as step,
        'score' as item,
        case when pillars.score is not null then means.score_arithmetic end as arithmetic,
        pillars.score as value,
        pillars.score_reason as note
    from pillars
    inner join means_of_subthemes as means
        using (framework_id, iso3, pillar_id)
    union all by name
    select
        framework_id,
        iso3,
        'overall' as subject,
        'overall' as subject_id,
        row_number() over (partition by framework_id, iso3 order by pillar_id) as step,
        'pillar ' || pillar_id as item,
        null as arithmetic,
        score as value,
        coalesce(score_reason, format('coverage {:.2f}', coverage)) as note
    from pillars
    where in_overall
    union all by name
    select
        scorecard.framework_id,
        scorecard.iso3,
        'overall' as subject,
        'overall' as subject_id,
        means.pillars_total + 1 as step,
        'coverage' as item,
        means.coverage_arithmetic as arithmetic,
        scorecard.coverage as value,
        null as note
    from {{ ref('scorecard') }} as scorecard
    inner join means_of_pillars as means
        using (framework_id, iso3)
    union all by name
    select
        scorecard.framework_id,
        scorecard.iso3,
        'overall' as subject,
        'overall' as subject_id,
        means.pillars_total + 2 as step,
        'score' as item,
        case when scorecard.overall_score is not null then means.score_arithmetic end as arithmetic,
        scorecard.overall_score as value,
        scorecard.score_reason as note
    from {{ ref('scorecard') }} as scorecard
    inner join means_of_pillars as means
        using (framework_id, iso3)
),

lines as (
    from indicator_lines
    -- a step without anything to show says less than none; the status says why
    where value is not null or item in ('observation', 'level', 'status')
    union all by name
    from composite_lines
)

select
    framework_id,
    iso3,
    subject,
    subject_id,
    step::integer as step,
    item,
    arithmetic,
    value,
    note,
    nullif(source, '') as source,
    source_url
from lines
order by framework_id, iso3, subject, subject_id, step
