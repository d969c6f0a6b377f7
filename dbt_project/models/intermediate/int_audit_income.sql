-- Scores and income: the correlation with the logarithm of income per head, and the place of an economy among all
-- economies given its income, by the residual of a regression of the overall score on that logarithm. Income is the
-- newest figure that is not older than the catalogue allows.
with run_year as (
    select max(as_of_year) as as_of_year
    from {{ ref('int_as_of_years') }}
    where is_run
),

incomes as (
    select
        observations.iso3,
        arg_max(ln(observations.value), observations.year) as log_income
    from {{ ref('observations') }} as observations
    inner join {{ ref('indicators') }} as indicators using (indicator_id)
    cross join run_year
    where
        observations.indicator_id = '{{ var("audit_income") }}'
        and observations.value > 0
        and observations.year between run_year.as_of_year - indicators.max_age_years and run_year.as_of_year
    group by all
),

scores as (
    select
        audited.framework_id,
        audited.population,
        audited.iso3,
        audited.kind,
        audited.subject,
        audited.value as score,
        incomes.log_income
    from {{ ref('int_audit_values') }} as audited
    left join incomes using (iso3)
    where audited.kind in ('pillar', 'overall')
),

correlated as (
    select
        framework_id,
        population,
        subject,
        count_if(score is not null and log_income is not null) as n,
        corr(score, log_income order by iso3) as r
    from scores
    group by all
),

fitted as (
    select
        framework_id,
        population,
        iso3,
        score - (
            regr_intercept(score, log_income) over framework + regr_slope(score, log_income) over framework * log_income
        ) as residual,
        -- an unsigned number in DuckDB: 0 less 1 would be an error
        (regr_count(score, log_income) over framework)::bigint as n
    from scores
    where kind = 'overall' and population = 'economies'
    window framework as (
        partition by framework_id order by iso3 asc rows between unbounded preceding and unbounded following
    )
),

placed as (
    select
        *,
        -- economies without income come last and are not counted
        100.0 * (rank() over (partition by framework_id order by {{ rank_key('residual') }} asc nulls last) - 1)
        / nullif(n - 1, 0) as percentile
    from fitted
)

select
    framework_id,
    population,
    'income_correlation' as statistic,
    subject,
    '{{ var("audit_income") }}' as other_subject,
    case when n >= {{ var('audit_min_units') }} then {{ finite('r') }} end as value,
    n,
    case
        when n < {{ var('audit_min_units') }} then 'too_few_economies'
        when not isfinite(r) then 'constant'
    end as reason
from correlated
union all by name
select
    framework_id,
    population,
    unnest(['points_given_income', 'percentile_given_income']) as statistic,
    iso3 as subject,
    '{{ var("audit_income") }}' as other_subject,
    case
        when residual is not null and n >= {{ var('audit_min_units') }}
            then if(statistic = 'points_given_income', residual, percentile)
    end as value,
    n,
    case
        when residual is null then 'no_income'
        when n < {{ var('audit_min_units') }} then 'too_few_economies'
    end as reason
from placed
