-- Grain: one row per accepted roster record of an assessor in one role.
with

roster as (
    select *
    from {{ source('raw', 'assessor') }}
    where present_outcome = 'accepted'
),

assessors as (
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
        roster.programme_id,
        roster.site_id,
        roster.record_id,
        assessors.person_key as assessor_key,
        ---------- text
        roster.assessor_role,
        roster.specialty,
        ---------- yes or no
        roster.is_trained,
        ---------- days and instants
        roster.active_from,
        roster.active_to,
        ---------- lineage
        roster.source_id,
        roster.delivery_id,
        roster.source_row,
        roster.source_cell,
        roster.known_at
    from roster
    left join assessors on {{ names_person('assessors', 'roster', 'assessor_pseudonym') }}
)

select * from renamed
