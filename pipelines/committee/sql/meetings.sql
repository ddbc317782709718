-- One row a mentor or progress meeting, newest first.
select
    learner_key,
    printed_id('M', record_key) as evidence_id,
    meeting_type,
    mentor_key,
    text,
    is_shared_with_learner,
    next_on,
    occurred_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_meeting_note
where occurred_on <= getvariable('as_of')
order by learner_key, occurred_on desc, evidence_id
