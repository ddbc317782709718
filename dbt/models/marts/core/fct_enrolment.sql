-- Grain: one row per learner, programme and enrolment (a module run, or the programme itself).
with

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
)

select
    ---------- ids
    enrolment_key,
    learner_key,
    programme_id,
    site_id,
    period_id,
    record_key,
    ---------- text
    status,
    outcome,
    ---------- numbers
    n_records,
    ---------- yes or no
    coalesce({{ in_force(as_of(), 'starts_on', 'ends_on') }}, false) as is_in_force,
    ---------- days and instants
    starts_on,
    ends_on,
    ---------- lineage
    source_id,
    delivery_id,
    known_at
from enrolments
