-- One row an action: what is overdue first, then what is open, then what is done; among these, what
-- the last decision that stands asked for.
with

placed as (
    select
        action.*,
        case when action.is_overdue then 'overdue' else action.status end as state,
        decision.record_key is not null as is_of_last_decision
    from fct_action as action
    left join fct_decision as decision
        on action.decision_record_key = decision.record_key and decision.is_latest
)

select
    learner_key,
    programme_id,
    printed_id('A', record_key) as evidence_id,
    printed_id('D', decision_record_key) as decision_evidence_id,
    description,
    owner_role,
    competency_id,
    instrument_id,
    required_n,
    n_done,
    agreed_on,
    due_on,
    case when done_on <= getvariable('as_of') then done_on end as done_on,
    status,
    state,
    is_of_last_decision,
    n_days_overdue,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from placed
where agreed_on <= getvariable('as_of')
order by
    learner_key,
    case state when 'overdue' then 1 when 'open' then 2 when 'done' then 3 else 4 end,
    is_of_last_decision desc,
    agreed_on desc,
    due_on,
    record_key
