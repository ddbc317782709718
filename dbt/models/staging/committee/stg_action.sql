-- Grain: one row per accepted agreed action.
with

actions as (
    select *
    from {{ source('raw', 'action') }}
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
        coalesce(
            max(case when role = 'assessor' then person_key end),
            max(person_key)
        ) as person_key,
        valid_from,
        max(valid_to) as valid_to
    from {{ source('raw', 'identity') }}
    group by pseudonym, valid_from
),

renamed as (
    select
        ---------- ids
        actions.record_key,
        actions.event_id,
        learners.person_key as learner_key,
        actions.programme_id,
        actions.site_id,
        actions.record_id,
        actions.decision_record_id,
        owners.person_key as owner_key,
        actions.instrument_id,
        actions.competency_id,
        ---------- text
        actions.description,
        actions.owner_role,
        actions.status,
        ---------- numbers
        actions.required_n,
        ---------- days and instants
        actions.agreed_on,
        actions.due_on,
        actions.done_on,
        ---------- lineage
        actions.source_id,
        actions.delivery_id,
        actions.source_row,
        actions.source_cell,
        actions.known_at
    from actions
    left join learners
        on {{ names_person('learners', 'actions', 'learner_pseudonym', on_day='agreed_on') }}
    left join owners
        on {{ names_person('owners', 'actions', 'owner_pseudonym', on_day='agreed_on') }}
)

select * from renamed
