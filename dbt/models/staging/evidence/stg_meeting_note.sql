-- Grain: one row per accepted note of a mentor or progress meeting.
with

notes as (
    select *
    from {{ source('raw', 'meeting_note') }}
    where present_outcome = 'accepted'
),

learners as (
    select
        pseudonym,
        person_key,
        valid_from,
        valid_to
    from {{ source('raw', 'identity') }}
    where role = 'learner'
),

mentors as (
    select
        pseudonym,
        person_key,
        valid_from,
        valid_to
    from {{ source('raw', 'identity') }}
    where role = 'assessor'
),

renamed as (
    select
        ---------- ids
        notes.record_key,
        notes.event_id,
        learners.person_key as learner_key,
        notes.programme_id,
        notes.site_id,
        notes.record_id,
        mentors.person_key as mentor_key,
        ---------- text
        notes.meeting_type,
        notes.text,
        ---------- days and instants
        notes.occurred_at,
        {{ local_day('notes.occurred_at') }} as occurred_on,
        notes.next_on,
        ---------- lineage
        notes.source_id,
        notes.delivery_id,
        notes.source_row,
        notes.source_cell,
        notes.known_at
    from notes
    left join learners
        on {{ names_person('learners', 'notes', 'learner_pseudonym', at='occurred_at') }}
    left join mentors
        on {{ names_person('mentors', 'notes', 'mentor_pseudonym', at='occurred_at') }}
)

select * from renamed
