-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select * from {{ source('observations', 'egdi_hci_index') }}
union all by name
select * from {{ source('observations', 'tertiary_enrolment_pct') }}
union all by name
select * from {{ source('observations', 'github_commits_per_million') }}
union all by name
select * from {{ source('observations', 'youth_online_bill_pct') }}
union all by name
select * from {{ source('observations', 'internet_gender_ratio') }}
union all by name
select * from {{ source('observations', 'account_gender_ratio') }}
union all by name
select * from {{ source('observations', 'online_bill_gender_ratio') }}
