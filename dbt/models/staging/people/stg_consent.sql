-- Grain: one row per accepted consent given or withdrawn.
with

consents as (
    select *
    from {{ source('raw', 'consent') }}
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
        consents.record_key,
        consents.event_id,
        learners.person_key as learner_key,
        consents.programme_id,
        consents.site_id,
        consents.record_id,
        ---------- text
        consents.purpose,
        consents.status,
        consents.form_version,
        ---------- days and instants
        consents.effective_at,
        {{ local_day('consents.effective_at') }} as effective_on,
        consents.expires_on,
        ---------- lineage
        consents.source_id,
        consents.delivery_id,
        consents.source_row,
        consents.source_cell,
        consents.known_at
    from consents
    left join learners
        on {{ names_person('learners', 'consents', 'learner_pseudonym', at='effective_at') }}
)

select * from renamed
