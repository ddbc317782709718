-- Grain: one row per accepted state of a mandatory requirement of a learner.
with

requirements as (
    select *
    from {{ source('raw', 'requirement') }}
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

verifiers as (
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
        requirements.record_key,
        requirements.event_id,
        requirements.programme_id,
        requirements.site_id,
        requirements.record_id,
        learners.person_key as learner_key,
        requirements.requirement_id,
        requirements.stage_id,
        verifiers.person_key as verified_by_key,
        ---------- text
        requirements.requirement_type,
        requirements.title,
        requirements.status,
        requirements.reference,
        ---------- numbers
        requirements.n_done,
        requirements.required_n,
        requirements.attended_share,
        ---------- days and instants
        requirements.issued_on,
        requirements.expires_on,
        requirements.occurred_at,
        {{ local_day('requirements.occurred_at') }} as occurred_on,
        ---------- lineage
        requirements.source_id,
        requirements.delivery_id,
        requirements.source_row,
        requirements.source_cell,
        requirements.known_at
    from requirements
    left join learners
        on {{ names_person('learners', 'requirements', 'learner_pseudonym', at='occurred_at') }}
    left join verifiers
        on {{ names_person('verifiers', 'requirements', 'verified_by_pseudonym', at='occurred_at') }}
)

select * from renamed
