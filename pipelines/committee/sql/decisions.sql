-- One row a decision, newest first; a corrected decision gives way to its correction.
select
    learner_key,
    'D-' || upper(substring(record_key, 1, 12)) as evidence_id,
    decision_kind,
    committee_id,
    meeting_id,
    outcome,
    rationale,
    dissent,
    appeal_status,
    decided_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_decision
order by learner_key, decided_on desc, evidence_id
