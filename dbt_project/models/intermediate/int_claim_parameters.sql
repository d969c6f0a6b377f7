-- The parameters of the audit as the columns of one row, so that the build shows a missing one.
select
    (max(value) filter (where parameter = 'last_year'))::integer as last_year,
    (max(value) filter (where parameter = 'window_years'))::integer as window_years,
    -- the oldest year that ended at most window_years before the review, which is of the middle of last_year
    last_year - window_years as window_from,
    (max(value) filter (where parameter = 'stand_in_years'))::integer as stand_in_years,
    (max(value) filter (where parameter = 'base_years'))::integer as base_years,
    max(value) filter (where parameter = 'min_members_share') as min_members_share
from {{ ref('claim_parameters') }}
