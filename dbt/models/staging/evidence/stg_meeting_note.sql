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

attending as (
    select
        record_key,
        occurred_at,
        known_at,
        {{ unnest_list('attendees_pseudonyms') }} as pseudonym
    from notes
),

attendees_listed as (
    select
        attending.record_key,
        {{ list_agg('mentors.person_key', distinct=true) }} as person_keys
    from attending
    left join mentors
        on {{ names_person('mentors', 'attending', 'pseudonym', at='occurred_at') }}
    group by attending.record_key
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
        notes.meeting_id,
        ---------- text
        notes.meeting_type,
        notes.text,
        notes.agreed,
        ---------- lists
        attendees_listed.person_keys as attendee_keys,
        ---------- yes or no
        notes.is_shared_with_learner,
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
    left join attendees_listed on notes.record_key = attendees_listed.record_key
)

select * from renamed
