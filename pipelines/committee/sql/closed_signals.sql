-- One row a signal that evidence closed lately, the newest first.
select
    learner_key,
    signal_id,
    rule_set_id,
    rule_version,
    rule_id,
    sentence,
    raised_on,
    closed_on,
    closed_by_evidence_ids
from portfolio_signal_closed
order by learner_key, closed_on desc, signal_id
