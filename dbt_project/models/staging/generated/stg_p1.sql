-- Generated from the catalogue and the seed framework_indicators; changes here are overwritten by a refresh.
select * from {{ source('observations', 'gtmi_enablers_score') }}
union all by name
select * from {{ source('observations', 'ai_policy_capacity_score') }}
union all by name
select * from {{ source('observations', 'government_effectiveness_est') }}
union all by name
select * from {{ source('observations', 'gtmi_citizen_engagement_score') }}
