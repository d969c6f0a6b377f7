-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'vc_deals_per_bn_ppp',
    'tld_per_thousand',
    'github_organizations_per_million',
    'gii_score',
    'rd_expenditure_pct_gdp',
    'ict_service_exports_pct',
    'hightech_exports_pct_trade',
    'articles_per_million',
]) }}
