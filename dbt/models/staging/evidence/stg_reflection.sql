-- Grain: one row per accepted reflection, goal, response or dispute.
with

reflections as (
    select *
    from {{ source('raw', 'reflection') }}
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

owners as (
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
        reflections.record_key,
        reflections.event_id,
        learners.person_key as learner_key,
        reflections.programme_id,
        reflections.site_id,
        reflections.record_id,
        reflections.about_record_id,
        reflections.competency_id,
        reflections.in_reply_to_record_id,
        reflections.scale_id,
        owners.person_key as owner_key,
        ---------- text
        reflections.reflection_type,
        reflections.text,
        reflections.scale_version,
        reflections.raw_label,
        reflections.goal_status,
        reflections.dispute_status,
        ---------- numbers
        reflections.level,
        ---------- days and instants
        reflections.due_on,
        reflections.occurred_at,
        {{ local_day('reflections.occurred_at') }} as occurred_on,
        reflections.answered_at,
        ---------- lineage
        reflections.source_id,
        reflections.delivery_id,
        reflections.source_row,
        reflections.source_cell,
        reflections.known_at
    from reflections
    left join learners
        on {{ names_person('learners', 'reflections', 'learner_pseudonym', at='occurred_at') }}
    left join owners
        on {{ names_person('owners', 'reflections', 'owner_pseudonym', at='occurred_at') }}
)

select * from renamed
