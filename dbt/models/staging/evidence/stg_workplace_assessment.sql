-- Grain: one row per accepted workplace assessment.
with

assessments as (
    select *
    from {{ source('raw', 'workplace_assessment') }}
    where present_outcome = 'accepted' and {{ names_learner_at_hand('learner_pseudonym') }}
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
        assessments.record_key,
        assessments.event_id,
        learners.person_key as learner_key,
        assessments.programme_id,
        assessments.site_id,
        assessments.record_id,
        assessments.instrument_id,
        assessments.form_id,
        assessments.form_version,
        assessments.form_record_id,
        assessments.task_id,
        assessments.framework_id,
        assessments.competency_id,
        assessments.scale_id,
        assessments.scale_version,
        assessors.person_key as assessor_key,
        ---------- text
        assessments.raw_label,
        assessments.direction,
        assessments.decision_kind,
        assessments.assessor_role,
        assessments.setting,
        assessments.case_type,
        assessments.complexity,
        assessments.assurance_level,
        assessments.narrative_strengths,
        assessments.narrative_improvements,
        assessments.narrative_other,
        ---------- numbers
        assessments.level,
        assessments.stake,
        ---------- yes or no
        assessments.is_flagged,
        ---------- days and instants
        assessments.observed_at as occurred_at,
        {{ local_day('assessments.observed_at') }} as occurred_on,
        assessments.requested_at,
        assessments.submitted_at,
        {{ local_day('assessments.submitted_at') }} as submitted_on,
        ---------- lineage
        assessments.source_id,
        assessments.delivery_id,
        assessments.source_row,
        assessments.source_cell,
        assessments.known_at
    from assessments
    left join learners
        on {{ names_person('learners', 'assessments', 'learner_pseudonym', at='observed_at') }}
    left join assessors
        on {{ names_person('assessors', 'assessments', 'assessor_pseudonym', at='observed_at') }}
)

select * from renamed
