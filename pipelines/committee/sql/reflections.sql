-- One row for each time a learner spoke: responses first, then the newest.
select
    learner_key,
    'R-' || upper(substring(record_key, 1, 12)) as evidence_id,
    reflection_type,
    about_record_id,
    competency_id,
    text,
    due_on,
    occurred_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_reflection
order by
    learner_key,
    case reflection_type when 'dispute' then 1 when 'response' then 2 else 3 end,
    occurred_on desc,
    evidence_id
