-- How many indicators of each member are achieved, on track, or not?
pivot (
    select iso3, status
    from indicator_scores
    where framework_id = 'carec_2030'
)
on status in ('achieved', 'on_track', 'moderately_improving', 'stagnating', 'decreasing', 'insufficient_data')
using count(*)
group by iso3
order by iso3;
