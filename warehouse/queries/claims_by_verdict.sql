-- How many claims of the mid-term review have each verdict?
select
    verdict,
    count(*) as claims
from claims_audit
where duplicate_of is null
group by verdict
order by claims desc, verdict;
