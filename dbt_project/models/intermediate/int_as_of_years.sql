-- The years whose end the engine scores: figures of later years are unknown then, and staleness counts from it.
select year(as_of)::integer as as_of_year
from {{ source('landing', 'run') }}
