-- _tests.yml describes what this test checks, and what to do if it fails.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'observations'}}}) }}

-- the number of measures in each group: the total weights the groups by it
with groups (indicator_id, measures) as (
    values
    ('trade_transparency_pct', 5),
    ('trade_formalities_pct', 8),
    ('trade_institutions_pct', 3),
    ('paperless_trade_pct', 9),
    ('cross_border_paperless_trade_pct', 6)
),

computed as (
    select
        observations.iso3,
        observations.year,
        sum(observations.value * groups.measures) / sum(groups.measures) as mean_of_groups,
        count(*) as groups_with_a_figure
    from {{ ref('observations') }} as observations
    inner join groups on observations.indicator_id = groups.indicator_id
    group by observations.iso3, observations.year
)

select
    totals.iso3,
    totals.year,
    totals.value as total,
    computed.mean_of_groups
from {{ ref('observations') }} as totals
inner join computed on totals.iso3 = computed.iso3 and totals.year = computed.year
where
    totals.indicator_id = 'trade_facilitation_pct'
    and computed.groups_with_a_figure = 5
    -- both have two decimals
    and abs(totals.value - computed.mean_of_groups) > 0.011
