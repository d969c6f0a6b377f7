-- The value of a group is the mean of its members' newest figures that are not too old.
{%- set framework = "'" ~ var('framework') ~ "'" %}
with members as (
    select
        'overall' as kind,
        'overall' as id,
        iso3,
        overall_score as score,
        null::double as value,
        null::integer as year,
        null::varchar as sign
    from {{ published('scorecard') }}
    where framework_id = {{ framework }}
    union all by name
    select
        'pillar' as kind,
        pillar_id as id,
        iso3,
        score
    from {{ published('pillar_scores') }}
    where framework_id = {{ framework }}
    union all by name
    select
        'indicator' as kind,
        indicator_id as id,
        iso3,
        level_score as score,
        latest_value as value,
        latest_year as year,
        case when status_reason = 'not_comparable_edition' then 'level_only' else status end as sign
    from {{ published('indicator_scores') }}
    where framework_id = {{ framework }}
),

run as (
    select max(as_of_year) as as_of_year
    from {{ published('indicator_scores') }}
    where framework_id = {{ framework }}
),

newest as (
    select
        groups.group_id,
        figures.indicator_id,
        figures.iso3,
        arg_max(figures.value, figures.year) as value
    from {{ published('observations') }} as figures
    inner join {{ published('economy_groups') }} as groups
        on figures.iso3 = groups.iso3
    inner join {{ published('indicators') }} as indicators
        on figures.indicator_id = indicators.indicator_id
    cross join run
    where figures.year between run.as_of_year - indicators.max_age_years and run.as_of_year
    group by all
),

others as (
    select
        members.kind,
        members.id,
        members.iso3 as other_id,
        names.name as other,
        false as other_is_group,
        null::integer as other_members,
        members.score,
        members.value,
        members.year,
        members.sign
    from members
    inner join {{ published('economies') }} as names
        on members.iso3 = names.iso3
    union all by name
    select
        if(means.pillar_id = 'overall', 'overall', 'pillar') as kind,
        means.pillar_id as id,
        means.group_id as other_id,
        groups.title as other,
        true as other_is_group,
        means.members_scored as other_members,
        means.score
    from {{ published('region_scores') }} as means
    inner join {{ published('groups') }} as groups
        on means.group_id = groups.group_id
    where means.framework_id = {{ framework }} and means.variant = 'simple'
    union all by name
    select
        'indicator' as kind,
        newest.indicator_id as id,
        newest.group_id as other_id,
        any_value(groups.title) as other,
        true as other_is_group,
        count(newest.value)::integer as other_members,
        {{ exact_mean('newest.value') }} as value
    from newest
    inner join {{ published('groups') }} as groups
        on newest.group_id = groups.group_id
    group by newest.indicator_id, newest.group_id
)

select
    members.kind,
    members.id,
    coalesce(indicators.title, pillars.title, 'Overall score') as title,
    coalesce(places.pillar_id, pillars.pillar_id) as pillar_id,
    members.iso3,
    names.name as member,
    others.other_id,
    others.other,
    others.other_is_group,
    others.other_members,
    members.score,
    others.score as other_score,
    members.score - others.score as score_difference,
    members.value,
    members.year,
    others.value as other_value,
    others.year as other_year,
    members.value - others.value as value_difference,
    {{ in_words('units', 'indicators.unit') }} as unit,
    {{ in_words('own', 'members.sign') }} as status,
    {{ in_words('theirs', 'others.sign') }} as other_status,
    pairs.probability as share_of_scenarios_above,
    pairs.is_tie
from members
inner join others
    on members.kind = others.kind and members.id = others.id and members.iso3 <> others.other_id
inner join {{ published('economies') }} as names
    on members.iso3 = names.iso3
left join {{ published('indicators') }} as indicators
    on members.id = indicators.indicator_id and members.kind = 'indicator'
left join {{ published('framework_indicators') }} as places
    on members.id = places.indicator_id and members.kind = 'indicator' and places.framework_id = {{ framework }}
left join {{ published('pillars') }} as pillars
    on members.id = pillars.pillar_id and members.kind = 'pillar' and pillars.framework_id = {{ framework }}
left join {{ published('rank_probabilities') }} as pairs
    on
        members.kind = 'overall'
        and members.iso3 = pairs.iso3_a
        and others.other_id = pairs.iso3_b
        and pairs.framework_id = {{ framework }}
left join {{ published('code_words') }} as units
    on indicators.unit = units.code and units.kind = 'unit'
left join {{ published('code_words') }} as own
    on members.sign = own.code and own.kind = 'status'
left join {{ published('code_words') }} as theirs
    on others.sign = theirs.code and theirs.kind = 'status'
order by members.iso3, others.other_is_group, others.other_id, members.kind, members.id
