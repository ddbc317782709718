-- One row an action: what is overdue first, then what is open, then what is done.
with

placed as (
    select
        *,
        case when is_overdue then 'overdue' else status end as state
    from fct_action
)

select
    learner_key,
    'A-' || upper(substring(record_key, 1, 12)) as evidence_id,
    description,
    owner_role,
    competency_id,
    instrument_id,
    required_n,
    n_done,
    agreed_on,
    due_on,
    done_on,
    status,
    state,
    n_days_overdue,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from placed
order by
    learner_key,
    case state when 'overdue' then 1 when 'open' then 2 when 'done' then 3 else 4 end,
    agreed_on desc,
    due_on,
    record_key
