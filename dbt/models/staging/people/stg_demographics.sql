-- Grain: one row per accepted attribute of a learner.
with

attributes as (
    select *
    from {{ source('raw', 'demographics') }}
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

renamed as (
    select
        ---------- ids
        attributes.record_key,
        attributes.event_id,
        learners.person_key as learner_key,
        attributes.programme_id,
        attributes.site_id,
        attributes.record_id,
        ---------- text
        attributes.attribute,
        attributes.value,
        ---------- days and instants
        attributes.stated_on,
        ---------- lineage
        attributes.source_id,
        attributes.delivery_id,
        attributes.source_row,
        attributes.source_cell,
        attributes.known_at
    from attributes
    left join learners
        on {{ names_person('learners', 'attributes', 'learner_pseudonym', on_day='stated_on') }}
)

select * from renamed
