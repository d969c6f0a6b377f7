-- How has fixed broadband grown in each member since 2018 (subscriptions per 100 people)?
pivot (
    select member, year, value
    from v_history
    where id = 'fixed_broadband_per_100' and year between 2018 and 2024
)
on year
using any_value(value)
group by member
order by member;
