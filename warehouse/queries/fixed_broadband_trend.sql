-- How has fixed broadband grown in each member since 2018 (subscriptions per 100 people)?
pivot (
    select o.iso3, o.year, o.value
    from observations as o
    inner join economies as e
        on o.iso3 = e.iso3 and e.is_member
    where o.indicator_id = 'fixed_broadband_per_100' and o.year between 2018 and 2024
)
on year
using any_value(value)
group by iso3
order by iso3;
