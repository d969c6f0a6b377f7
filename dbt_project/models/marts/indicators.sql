select
    indicator_id,
    title,
    unit,
    direction,
    definition,
    population_base,
    licence,
    origin,
    max_age_years::integer as max_age_years,
    shape,
    valid_min::double as valid_min,
    valid_max::double as valid_max,
    case when shape = 'saturating' then valid_max else natural_limit end::double as natural_limit,
    edition_index,
    note,
    provider_chain
from {{ source('landing', 'indicators') }}
order by indicator_id
