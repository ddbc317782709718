-- One row a mandatory requirement: what is lacking first, then what is in progress, then the rest.
select
    learner_key,
    printed_id('Q', record_key) as evidence_id,
    requirement_id,
    requirement_type,
    title,
    stage_id,
    state,
    reference,
    n_done,
    required_n,
    attended_share,
    issued_on,
    expires_on,
    verified_by_key,
    coalesce(occurred_on, issued_on) as counted_on,
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from fct_requirement
where coalesce(occurred_on, issued_on, getvariable('as_of')) <= getvariable('as_of')
order by
    learner_key,
    case state when 'not_met' then 1 when 'expired' then 2 when 'in_progress' then 3 else 4 end,
    coalesce(title, requirement_id),
    record_key
