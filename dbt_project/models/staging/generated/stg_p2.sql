-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'regulatory_quality_est',
    'gci_legal_score',
    'gci_cooperation_score',
    'cyber_laws_count',
    'fixed_broadband_price_pct_gni',
    'mobile_data_price_pct_gni',
    'mobile_phone_owner_pct',
    'rural_urban_account_ratio',
]) }}
