-- Generated from the catalogue and the seed framework_indicators by `make generate`: do not edit.
{{ landed([
    'lpi_customs_score',
    'lpi_tracking_score',
    'lpi_timeliness_score',
    'cross_border_paperless_trade_pct',
    'account_owner_pct',
    'online_bill_payment_pct',
    'online_merchant_payment_pct',
    'digital_payment_pct',
]) }}
