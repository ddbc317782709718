-- One row for each time a learner spoke: disputes nobody has answered first, then other disputes,
-- responses, and the newest of the rest. Answers to disputes stand beside them.
select
    learner_key,
    printed_id('R', record_key) as evidence_id,
    record_id,
    programme_id,
    reflection_type,
    about_record_id,
    about_evidence_id,
    competency_id,
    text,
    dispute_status,
    owner_key,
    owner_role,
    reply,
    answered_at,
    due_on,
    occurred_at,
    occurred_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_reflection
where
    not (reflection_type = 'response' and owner_key is not null)
    and occurred_on <= getvariable('as_of')
order by
    learner_key,
    case
        when dispute_status = 'raised' then 1
        when reflection_type = 'dispute' then 2
        when reflection_type = 'response' then 3
        else 4
    end,
    occurred_on desc,
    evidence_id
