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
from {{ source('observations', 'egdi_hci_index') }}
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
from {{ source('observations', 'tertiary_enrolment_pct') }}
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
from {{ source('observations', 'github_commits_per_million') }}
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
from {{ source('observations', 'youth_online_bill_pct') }}
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
from {{ source('observations', 'internet_gender_ratio') }}
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
from {{ source('observations', 'account_gender_ratio') }}
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
from {{ source('observations', 'online_bill_gender_ratio') }}
