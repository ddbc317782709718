-- Grain: one row per accepted note of a mentor or progress meeting.
select
    ---------- ids
    record_key,
    event_id,
    record_id,
    learner_key,
    programme_id,
    site_id,
    mentor_key,
    ---------- text
    meeting_type,
    text,
    ---------- yes or no
    is_shared_with_learner,
    ---------- days and instants
    occurred_at,
    occurred_on,
    next_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from {{ ref('stg_meeting_note') }}
