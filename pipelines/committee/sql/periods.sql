-- Rotations, leave and other clocks, past and planned, in order of time.
select
    learner_key,
    period_type,
    period_id,
    starts_on,
    ends_on,
    is_planned,
    full_time_share
from fct_learner_stage
where period_type in ('rotation', 'leave', 'intercalation', 'clock_stop', 'part_time')
order by learner_key, starts_on, period_type, period_id
