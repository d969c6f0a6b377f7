-- The indicators with a second origin, for every economy that is scored as of the run: the newest figure and the level
-- of either origin, and both figures of the newest year that has both. Both levels use the goalposts, scale and maximum
-- age of the declared indicator.
with pairs as (
    select
        framework_indicators.framework_id,
        origin_pairs.indicator_id,
        origin_pairs.other_indicator_id,
        indicators.max_age_years,
        indicators.shape,
        sizes.basis,
        sizes.rounding,
        sizes.large,
        benchmarks.transform,
        benchmarks.floor_value,
        benchmarks.target_value
    from {{ ref('origin_pairs') }} as origin_pairs
    inner join {{ ref('framework_indicators') }} as framework_indicators
        on origin_pairs.indicator_id = framework_indicators.indicator_id
    inner join {{ ref('indicators') }} as indicators
        on origin_pairs.indicator_id = indicators.indicator_id
    left join {{ ref('revision_sizes') }} as sizes
        on indicators.unit = sizes.unit
    left join {{ ref('benchmarks') }} as benchmarks
        on
            framework_indicators.framework_id = benchmarks.framework_id
            and framework_indicators.indicator_id = benchmarks.indicator_id
),

declared as (
    select
        scores.framework_id,
        scores.as_of_year,
        scores.iso3,
        scores.indicator_id,
        scores.latest_year,
        scores.latest_value,
        scores.level_score,
        pairs.other_indicator_id,
        pairs.* exclude (framework_id, indicator_id, other_indicator_id)
    from {{ ref('int_levels') }} as scores
    inner join pairs
        on scores.framework_id = pairs.framework_id and scores.indicator_id = pairs.indicator_id
    semi join {{ ref('int_members') }} as members
        on scores.framework_id = members.framework_id and scores.as_of_year = members.as_of_year
),

figures as (
    select
        indicator_id,
        iso3,
        year,
        value,
        measured_year
    from {{ ref('int_measured') }}
),

placed as (
    select
        declared.*,
        newest.year as other_year,
        newest.value as other_value,
        newest.measured_year as other_measured_year
    from declared
    asof left join figures as newest
        on
            declared.other_indicator_id = newest.indicator_id
            and declared.iso3 = newest.iso3
            and declared.as_of_year >= newest.year
),

common as (
    select
        declared.framework_id,
        declared.iso3,
        declared.indicator_id,
        max({ 'year': own.year, 'value': own.value, 'other_value': other.value }) as newest
    from declared
    inner join figures as own
        on
            declared.indicator_id = own.indicator_id
            and declared.iso3 = own.iso3
            and declared.as_of_year >= own.year
    inner join figures as other
        on declared.other_indicator_id = other.indicator_id and own.iso3 = other.iso3 and own.year = other.year
    group by all
),

on_scale as (
    select
        *,
        {{ to_g(judged('other_value', 'shape'), 'transform') }} as g,
        {{ to_g('floor_value', 'transform') }} as g_floor,
        {{ to_g('target_value', 'transform') }} as g_target
    from placed
),

levels as (
    select
        *,
        case
            when as_of_year - other_measured_year <= max_age_years then {{ level_score('g', 'g_floor', 'g_target') }}
        end as other_level_score
    from on_scale
)

select
    levels.framework_id,
    levels.as_of_year,
    levels.iso3,
    levels.indicator_id,
    levels.latest_year as declared_year,
    levels.latest_value as declared_value,
    levels.level_score as declared_level_score,
    levels.other_indicator_id,
    levels.other_year,
    levels.other_value,
    levels.other_level_score,
    common.newest.year as common_year,
    common.newest.value as common_declared_value,
    common.newest.other_value as common_other_value,
    common.newest.other_value - common.newest.value as difference,
    levels.level_score is not null and levels.other_level_score is not null as is_exchanged,
    case
        when levels.level_score is null and levels.other_level_score is null then 'neither'
        when levels.other_level_score is null then 'only_declared'
        when levels.level_score is null then 'only_other'
        when common.newest is null then 'no_common_year'
        when
            revision_size(
                common.newest.value, common.newest.other_value, levels.basis, levels.rounding, levels.large
            ) = 'rounding'
            then 'same_figure'
    end as reason
from levels
left join common
    using (framework_id, iso3, indicator_id)
