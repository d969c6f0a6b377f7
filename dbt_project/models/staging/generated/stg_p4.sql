-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'egdi_hci_index',
    'tertiary_enrolment_pct',
    'github_pushes_per_million',
    'youth_online_bill_pct',
    'internet_gender_ratio',
    'account_gender_ratio',
    'online_bill_gender_ratio',
]) }}
