-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select * from {{ source('observations', 'internet_users_pct') }}
union all by name
select * from {{ source('observations', 'fixed_broadband_per_100') }}
union all by name
select * from {{ source('observations', 'coverage_4g_pct') }}
union all by name
select * from {{ source('observations', 'households_internet_pct') }}
union all by name
select * from {{ source('observations', 'egdi_osi_index') }}
union all by name
select * from {{ source('observations', 'gtmi_core_systems_score') }}
union all by name
select * from {{ source('observations', 'gtmi_service_delivery_score') }}
union all by name
select * from {{ source('observations', 'secure_servers_per_million') }}
union all by name
select * from {{ source('observations', 'electricity_access_pct') }}
union all by name
select * from {{ source('observations', 'low_carbon_energy_pct') }}
