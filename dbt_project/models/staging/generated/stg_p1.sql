-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'gtmi_enablers_score',
    'ai_policy_capacity_score',
    'government_effectiveness_est',
    'gtmi_citizen_engagement_score',
    'gci_capacity_score',
]) }}
