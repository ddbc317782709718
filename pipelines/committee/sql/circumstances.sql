-- One row a circumstance or adjustment that the committee may know of, the newest first.
select
    learner_key,
    printed_id('K', record_key) as evidence_id,
    circumstance_type,
    category,
    adjustment,
    task_id,
    status,
    is_for_mentor,
    starts_on,
    ends_on,
    disclosed_on,
    decided_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_circumstance
where disclosed_on <= getvariable('as_of')
order by learner_key, coalesce(starts_on, disclosed_on) desc, record_key
