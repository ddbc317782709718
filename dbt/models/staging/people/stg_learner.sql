-- Grain: one row per accepted roster record of a learner.
with

roster as (
    select *
    from {{ source('raw', 'learner') }}
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
        roster.record_key,
        roster.event_id,
        learners.person_key as learner_key,
        roster.programme_id,
        roster.site_id,
        roster.record_id,
        roster.cohort_id,
        mentors.person_key as mentor_key,
        ---------- days and instants
        roster.entered_on,
        ---------- lineage
        roster.source_id,
        roster.delivery_id,
        roster.source_row,
        roster.source_cell,
        roster.known_at
    from roster
    left join learners on {{ names_person('learners', 'roster', 'learner_pseudonym') }}
    left join mentors on {{ names_person('mentors', 'roster', 'mentor_pseudonym') }}
)

select * from renamed
