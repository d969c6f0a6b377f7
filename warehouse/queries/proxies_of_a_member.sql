-- Which indicators of Kyrgyz Republic are only proxies, or rest on few figures or an old one?
select indicator, subtheme, is_proxy, rests_on_few_figures, measured_year, age_years, points_lost, status
from v_indicators_latest
where iso3 = 'KGZ' and in_overall and level is not null and (is_proxy or rests_on_few_figures or age_years > 2)
order by points_lost desc, indicator;
