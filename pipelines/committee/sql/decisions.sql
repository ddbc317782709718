-- One row a decision, the latest first; a corrected one stands behind its correction.
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
    standing,
    decided_by_keys,
    recused_keys,
    is_corrected,
    is_latest,
    decided_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_decision
order by learner_key, is_latest desc, decided_at desc, record_key
