-- One row an open signal, in the order of the mart.
select
    learner_key,
    signal_id,
    rule_id,
    rule_version,
    severity,
    sentence,
    cast(null as varchar) as recommendation,
    owner_role,
    due_on,
    evidence_ids
from portfolio_signal
order by
    learner_key,
    case severity when 'high' then 1 when 'medium' then 2 else 3 end,
    due_on,
    signal_id
