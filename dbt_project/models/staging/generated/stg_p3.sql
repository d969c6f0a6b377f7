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
from {{ source('observations', 'internet_users_pct') }}
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
from {{ source('observations', 'fixed_broadband_per_100') }}
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
from {{ source('observations', 'coverage_4g_pct') }}
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
from {{ source('observations', 'households_internet_pct') }}
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
from {{ source('observations', 'egdi_osi_index') }}
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
from {{ source('observations', 'gtmi_core_systems_score') }}
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
from {{ source('observations', 'gtmi_service_delivery_score') }}
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
from {{ source('observations', 'secure_servers_per_million') }}
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
from {{ source('observations', 'electricity_access_pct') }}
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
from {{ source('observations', 'low_carbon_energy_pct') }}
