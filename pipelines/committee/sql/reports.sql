-- One row a report on conduct that the committee may know of, the newest first.
select
    learner_key,
    programme_id,
    printed_id('P', record_key) as evidence_id,
    competency_id,
    report_type,
    category,
    severity,
    description,
    learner_response,
    setting,
    reporter_key,
    reporter_role,
    status,
    outcome,
    is_shared_with_learner,
    is_for_mentor,
    occurred_on,
    closed_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_professionalism_report
where occurred_on <= getvariable('as_of')
order by learner_key, occurred_on desc, record_key
