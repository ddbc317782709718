-- Grain: one row per accepted declaration of AI use.
with

declarations as (
    select *
    from {{ source('raw', 'ai_use_declaration') }}
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
        declarations.record_key,
        declarations.event_id,
        learners.person_key as learner_key,
        declarations.programme_id,
        declarations.site_id,
        declarations.record_id,
        declarations.task_id,
        declarations.submission_id,
        declarations.amends_record_id,
        ---------- text
        declarations.status,
        declarations.extent,
        declarations.prompts_reference,
        declarations.output_changes,
        declarations.verification,
        ---------- yes or no
        declarations.is_verified,
        declarations.has_patient_data,
        declarations.has_accessibility_exemption,
        ---------- lists
        declarations.tools,
        declarations.purposes,
        declarations.stages,
        ---------- days and instants
        declarations.statement_accepted_at,
        declarations.declared_at,
        {{ local_day('declarations.declared_at') }} as declared_on,
        ---------- lineage
        declarations.source_id,
        declarations.delivery_id,
        declarations.source_row,
        declarations.source_cell,
        declarations.known_at
    from declarations
    left join learners
        on {{ names_person('learners', 'declarations', 'learner_pseudonym', at='declared_at') }}
)

select * from renamed
