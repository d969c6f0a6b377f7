-- _tests.yml describes what this test checks, and what to do if it fails. The list of pairs is below.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'observations'}}}) }}

with pairs (indicator_id, other_id, why) as (
    values
    ('online_bill_payment_pct', 'internet_users_pct', 'who pays bills online uses the internet'),
    ('online_merchant_payment_pct', 'internet_users_pct', 'who pays for purchases online uses the internet'),
    ('internet_users_pct', 'electricity_access_pct', 'few use the internet without electricity at home')
),

-- known differences that the warning leaves out, each with its reason; no economy here is a member
accepted (indicator_id, other_id, iso3, reason) as (
    values
    ('online_bill_payment_pct', 'internet_users_pct', 'KEN', 'a payment by phone needs no internet: mobile money'),
    ('online_bill_payment_pct', 'internet_users_pct', 'UGA', 'a payment by phone needs no internet: mobile money'),
    ('online_bill_payment_pct', 'internet_users_pct', 'ZMB', 'a payment by phone needs no internet: mobile money'),
    ('internet_users_pct', 'electricity_access_pct', 'LBY', 'no cause is known: two providers differ')
)

select
    pairs.indicator_id,
    pairs.other_id,
    observations.iso3,
    observations.year,
    observations.value,
    others.value as other_value,
    pairs.why
from pairs
inner join {{ ref('observations') }} as observations on pairs.indicator_id = observations.indicator_id
inner join {{ ref('observations') }} as others
    on
        pairs.other_id = others.indicator_id
        and observations.iso3 = others.iso3
        and observations.year = others.year
-- ten points: surveys of adults against shares of everyone, and the sampling error of either
where
    observations.value > others.value + 10
    and not exists (
        select 1 from accepted
        where
            accepted.indicator_id = pairs.indicator_id
            and accepted.other_id = pairs.other_id
            and accepted.iso3 = observations.iso3
    )
order by observations.value - others.value desc
