-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'internet_users_pct',
    'fixed_broadband_per_100',
    'coverage_4g_pct',
    'households_internet_pct',
    'egdi_osi_index',
    'gtmi_core_systems_score',
    'gtmi_service_delivery_score',
    'secure_servers_per_million',
    'electricity_access_pct',
    'low_carbon_energy_pct',
]) }}
