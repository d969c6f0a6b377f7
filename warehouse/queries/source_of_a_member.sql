-- Who publishes the figures of Azerbaijan, under which licence, and how new are they?
select origin, source, licence, count(*) as indicators, max(year) as newest_year, max(retrieved_on) as retrieved_on
from v_indicators_latest
where iso3 = 'AZE' and value is not null
group by origin, source, licence
order by indicators desc, origin, source, licence;
