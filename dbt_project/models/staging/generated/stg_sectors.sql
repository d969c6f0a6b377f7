-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select * from {{ source('observations', 'lpi_customs_score') }}
union all by name
select * from {{ source('observations', 'lpi_tracking_score') }}
union all by name
select * from {{ source('observations', 'lpi_timeliness_score') }}
union all by name
select * from {{ source('observations', 'account_owner_pct') }}
union all by name
select * from {{ source('observations', 'online_bill_payment_pct') }}
union all by name
select * from {{ source('observations', 'online_merchant_payment_pct') }}
