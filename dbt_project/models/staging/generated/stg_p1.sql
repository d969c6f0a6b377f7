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
from {{ source('observations', 'gtmi_enablers_score') }}
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
from {{ source('observations', 'ai_policy_capacity_score') }}
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
from {{ source('observations', 'government_effectiveness_est') }}
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
from {{ source('observations', 'gtmi_citizen_engagement_score') }}
