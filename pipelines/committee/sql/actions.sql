-- One row an action: what is overdue first, then what is open, then what is done.
with

judged as (
    select
        action.*,
        case
            when action.status = 'open' and action.due_on < edition.as_of then 'overdue'
            else action.status
        end as state,
        date_diff('day', action.due_on, edition.as_of) as n_days_overdue
    from fct_action as action
    cross join (select cast(getvariable('as_of') as date) as as_of) as edition
)

select
    learner_key,
    'A-' || upper(substring(record_key, 1, 12)) as evidence_id,
    description,
    owner_role,
    competency_id,
    instrument_id,
    required_n,
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
from judged
order by
    learner_key,
    case state when 'overdue' then 1 when 'open' then 2 when 'done' then 3 else 4 end,
    due_on,
    evidence_id
