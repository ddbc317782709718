-- One row an open signal, in the order in which the mart shows them.
select
    learner_key,
    programme_id,
    signal_id,
    rule_set_id,
    rule_version,
    rule_id,
    severity,
    title,
    sentence,
    remedy,
    recommended_competency_id,
    recommended_instrument_id,
    recommended_setting,
    recommended_rotation_id,
    recommended_assessor_role,
    recommended_assessor,
    recommended_from_on,
    closes_when,
    owner_role,
    due_on,
    is_overdue,
    evidence_ids,
    held_back_titles
from portfolio_signal
order by learner_key, display_order, signal_id
