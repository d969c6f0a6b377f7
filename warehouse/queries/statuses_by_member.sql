-- How many indicators of each member are achieved, on track, or not?
select
    member,
    target_met,
    on_track,
    moderately_improving,
    stagnating,
    moving_away,
    level_only,
    too_little_data
from v_members
order by member;
