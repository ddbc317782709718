-- Grain: one row per accepted circumstance or adjustment of a learner. Restricted by need_to_know.
with

circumstances as (
    select *
    from {{ source('raw', 'circumstance') }}
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

deciders as (
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
        circumstances.record_key,
        circumstances.event_id,
        circumstances.programme_id,
        circumstances.site_id,
        circumstances.record_id,
        learners.person_key as learner_key,
        circumstances.stage_id,
        circumstances.task_id,
        deciders.person_key as decided_by_key,
        ---------- text
        circumstances.circumstance_type,
        circumstances.category,
        circumstances.adjustment,
        circumstances.description,
        circumstances.status,
        circumstances.need_to_know,
        ---------- days and instants
        circumstances.starts_on,
        circumstances.ends_on,
        circumstances.disclosed_on,
        circumstances.decided_on,
        ---------- lineage
        circumstances.source_id,
        circumstances.delivery_id,
        circumstances.source_row,
        circumstances.source_cell,
        circumstances.known_at
    from circumstances
    left join learners
        on {{ names_person('learners', 'circumstances', 'learner_pseudonym', on_day='disclosed_on') }}
    left join deciders
        on {{ names_person('deciders', 'circumstances', 'decided_by_pseudonym', on_day='disclosed_on') }}
)

select * from renamed
