-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'ict_private_investment_usd') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gci_legal_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gci_technical_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gci_organisation_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gci_capacity_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gci_cooperation_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'mobile_data_5gb_price_pct_gni') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'mobile_phone_owner_female_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'mobile_phone_owner_male_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'findex_phone_owner_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'internet_users_female_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'internet_users_male_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'findex_internet_use_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'mobile_subscriptions_per_100') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'coverage_3g_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'coverage_5g_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'bandwidth_per_user_kbps') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'basic_digital_skills_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'stem_graduates_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'ict_graduates_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gii_rank') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'lpi_overall_score') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'paperless_trade_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'rail_freight_tonne_km') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'digital_payment_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'remittance_cost_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'schools_internet_pct') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'primary_enrolment') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'secondary_enrolment') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'tertiary_enrolment') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'egdi_index') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'egdi_rank') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'egdi_tii_index') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'egdi_epi_index') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'population_total') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gdp_per_capita_usd') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gdp_per_capita_ppp_usd') }}
union all by name
select
    iso3,
    indicator_id,
    year,
    value,
    unit,
    obs_status,
    provider,
    provider_code,
    provider_release,
    retrieved_at,
    source_url,
    raw_sha256,
    licence,
    retrieved_via,
    figure_origin,
    figure_note,
    vintage_at
from {{ source('observations', 'gni_per_capita_usd') }}
