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
from {{ source('observations', 'vc_deals_per_bn_ppp') }}
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
from {{ source('observations', 'tld_per_thousand') }}
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
from {{ source('observations', 'gii_score') }}
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
from {{ source('observations', 'rd_expenditure_pct_gdp') }}
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
from {{ source('observations', 'ict_service_exports_pct') }}
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
from {{ source('observations', 'hightech_exports_pct_trade') }}
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
from {{ source('observations', 'articles_per_million') }}
