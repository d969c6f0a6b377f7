-- What does the path to the target expect of Kazakhstan this year, and how far is each indicator from it?
select indicator, value, year, expected_this_year, gap_to_expected, unit, target_value, status
from v_indicators_latest
where iso3 = 'KAZ' and expected_this_year is not null
order by gap_to_path nulls last, indicator;
