-- The score of each pillar from its sub-themes, and the overall score from its pillars: one row per line of the
-- explanation, with codes and operands instead of texts.
with subthemes as (
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
        list(
            case
                when scores.level_score is not null then to_json(scores.indicator_id)
                else to_json({
                    'code': 'without_level',
                    'operands': { 'indicator': scores.indicator_id, 'reason': scores.status_reason }
                })
            end
            order by scores.indicator_id
        ) as parts
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
        ) }} as score_arithmetic
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

subtheme_lines as (
    select
        subthemes.framework_id,
        subthemes.iso3,
        'pillar' as subject,
        subthemes.pillar_id as subject_id,
        row_number() over (
            partition by subthemes.framework_id, subthemes.iso3, subthemes.pillar_id
            order by subthemes.subtheme_id
        ) as step,
        'subtheme' as label_code,
        means.arithmetic,
        subthemes.score as value,
        case
            when subthemes.register_only then 'no_public_indicator' when means.parts is not null then 'list'
        end as note_code,
        to_json({ 'id': subthemes.subtheme_id, 'parts': means.parts }) as operands
    from subthemes
    left join means_of_indicators as means
        using (framework_id, iso3, pillar_id, subtheme_id)
),

pillar_scores as (
    select
        pillars.framework_id,
        pillars.iso3,
        'pillar' as subject,
        pillars.pillar_id as subject_id,
        unnest([ -- noqa: AL03
            {
                'step': pillars.subthemes_total + 1,
                'label_code': 'coverage',
                'arithmetic': means.coverage_arithmetic,
                'value': pillars.coverage,
                'note_code': 'coverage_needed',
                'operands': to_json({ 'coverage': frameworks.coverage_gate })
            },
            {
                'step': pillars.subthemes_total + 2,
                'label_code': 'score',
                'arithmetic': case when pillars.score_reason is null then means.score_arithmetic end,
                'value': pillars.score,
                'note_code': case
                    when pillars.is_filled then 'filled' when pillars.score_reason is not null then 'reason'
                end,
                'operands': to_json({ 'reason': pillars.score_reason })
            }
        ], recursive := true)
    from pillars
    inner join means_of_subthemes as means
        using (framework_id, iso3, pillar_id)
    inner join {{ ref('int_frameworks') }} as frameworks
        on pillars.framework_id = frameworks.framework_id
),

pillar_lines as (
    select
        framework_id,
        iso3,
        'overall' as subject,
        'overall' as subject_id,
        row_number() over (partition by framework_id, iso3 order by pillar_id) as step,
        'pillar' as label_code,
        score as value,
        case when is_filled then 'filled' when score_reason is null then 'coverage_is' else 'reason' end as note_code,
        to_json({ 'id': pillar_id, 'coverage': coverage, 'reason': score_reason }) as operands
    from pillars
    where in_overall
),

overall_scores as (
    select
        scorecard.framework_id,
        scorecard.iso3,
        'overall' as subject,
        'overall' as subject_id,
        unnest([ -- noqa: AL03
            {
                'step': means.pillars_total + 1,
                'label_code': 'coverage',
                'arithmetic': means.coverage_arithmetic,
                'value': scorecard.coverage
            },
            {
                'step': means.pillars_total + 2,
                'label_code': 'score',
                'arithmetic': case when scorecard.overall_score is not null then means.score_arithmetic end,
                'value': scorecard.overall_score,
                'note_code': case when scorecard.score_reason is not null then 'reason' end,
                'operands': to_json({ 'reason': scorecard.score_reason })
            }
        ], recursive := true)
    from {{ ref('scorecard') }} as scorecard
    inner join means_of_pillars as means
        using (framework_id, iso3)
)

from subtheme_lines
union all by name
from pillar_scores
union all by name
from pillar_lines
union all by name
from overall_scores
