-- Under which licences are the figures, and who publishes them?
select
    licence,
    provider,
    count(*) as figures,
    count(distinct indicator_id) as indicators,
    max(year) as latest_year
from observations
group by licence, provider
order by licence, provider;
