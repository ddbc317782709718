-- Grain: one row per accepted state of a mandatory requirement of a learner.
select
    ---------- ids
    record_key,
    event_id,
    record_id,
    learner_key,
    programme_id,
    site_id,
    stage_id,
    requirement_id,
    verified_by_key,
    ---------- text
    requirement_type,
    title,
    status,
    case
        when status = 'met' and expires_on < {{ as_of() }} then 'expired'
        else status
    end as state,
    reference,
    ---------- numbers
    n_done,
    required_n,
    attended_share,
    ---------- days and instants
    issued_on,
    expires_on,
    occurred_at,
    occurred_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from {{ ref('stg_requirement') }}
