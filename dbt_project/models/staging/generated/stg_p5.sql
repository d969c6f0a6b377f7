-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select * from {{ source('observations', 'vc_deals_per_bn_ppp') }}
union all by name
select * from {{ source('observations', 'tld_per_thousand') }}
union all by name
select * from {{ source('observations', 'gii_score') }}
union all by name
select * from {{ source('observations', 'rd_expenditure_pct_gdp') }}
union all by name
select * from {{ source('observations', 'ict_service_exports_pct') }}
union all by name
select * from {{ source('observations', 'hightech_exports_pct_trade') }}
union all by name
select * from {{ source('observations', 'articles_per_million') }}
