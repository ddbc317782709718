-- Grain: one row per data point and competency, with the task, stage, rotation and enrolment of
-- its day.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_evidence__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_evidence__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_evidence__unioned') }}
    where {{ is_moved('int_evidence__fingerprinted', 'learner_key') }}
),

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

stages as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'stage'
),

rotations as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'rotation'
),

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
),

assessors as (
    select * from {{ ref('int_assessors__unioned') }}
),

cut_scores as (
    select * from {{ ref('int_cut_scores__chosen') }}
    where station_id is null
),

-- A result that names no competency counts for each one that its task names.
placed as (
    select
        evidence.*,
        tasks.task_key,
        tasks.module_id,
        tasks.due_on,
        tasks.cut_score,
        tasks.cut_score_method,
        tasks.max_score as task_max_score,
        tasks.instrument_id as task_instrument_id,
        tasks.assurance_level as task_assurance_level,
        {{ unnest_list(
            "case
                when evidence.competency_id is not null then " ~ list_of('evidence.competency_id') ~ "
                when " ~ list_size('tasks.competency_ids') ~ " > 0
                    then " ~ list_distinct('tasks.competency_ids') ~ "
                else " ~ list_of('cast(null as varchar)') ~ "
            end"
        ) }} as counted_competency_id
    from evidence
    left join tasks
        on
            evidence.programme_id = tasks.programme_id
            and evidence.task_id = tasks.task_id
            and evidence.occurred_on between tasks.from_on and tasks.to_on
),

dated as (
    select
        ---------- ids
        placed.kind,
        placed.record_key,
        placed.event_id,
        placed.record_id,
        placed.learner_key,
        placed.programme_id,
        placed.site_id,
        stages.period_id as stage_id,
        rotations.period_id as rotation_id,
        placed.framework_id,
        placed.counted_competency_id as competency_id,
        coalesce(placed.instrument_id, placed.task_instrument_id) as instrument_id,
        placed.task_id,
        placed.task_key,
        placed.module_id,
        placed.sitting_id,
        placed.form_id,
        placed.form_record_id,
        placed.scale_id,
        placed.scale_version,
        placed.assessor_key,
        ---------- text
        placed.raw_label,
        placed.direction,
        placed.decision_kind,
        coalesce(placed.assessor_role, assessors.assessor_role) as assessor_role,
        placed.setting,
        placed.case_type,
        placed.complexity,
        coalesce(placed.assurance_level, placed.task_assurance_level) as assurance_level,
        placed.result_status,
        placed.grade,
        coalesce(cut_scores.method, placed.cut_score_method) as cut_score_method,
        placed.narrative_strengths,
        placed.narrative_improvements,
        placed.narrative_other,
        ---------- numbers
        placed.attempt,
        placed.level,
        placed.stake,
        placed.score,
        coalesce(placed.max_score, placed.task_max_score) as max_score,
        coalesce(cut_scores.cut_score, placed.cut_score) as cut_score,
        placed.n_right,
        ---------- yes or no
        placed.is_flagged,
        placed.is_banked,
        placed.is_day_unknown,
        enrolments.period_id is not null as has_enrolment,
        coalesce(
            coalesce(placed.submitted_on, placed.occurred_on) < enrolments.starts_on, false
        ) as is_before_enrolment,
        coalesce(
            coalesce(placed.submitted_on, placed.occurred_on) > enrolments.ends_on, false
        ) as is_after_enrolment,
        enrolments.period_id is not null and enrolments.starts_on is null as has_no_enrolment_date,
        ---------- days and instants
        placed.occurred_at,
        placed.occurred_on,
        placed.submitted_at,
        placed.submitted_on,
        placed.due_on,
        ---------- lineage
        placed.source_id,
        placed.delivery_id,
        placed.source_row,
        placed.source_cell,
        placed.known_at
    from placed
    left join stages
        on
            placed.learner_key = stages.learner_key
            and placed.programme_id = stages.programme_id
            and placed.occurred_on between stages.from_on and stages.to_on
    left join rotations
        on
            placed.learner_key = rotations.learner_key
            and placed.programme_id = rotations.programme_id
            and placed.occurred_on between rotations.from_on and rotations.to_on
    left join enrolments
        on
            placed.learner_key = enrolments.learner_key
            and placed.programme_id = enrolments.programme_id
            and coalesce(placed.module_id, placed.programme_id) = enrolments.period_id
    left join cut_scores
        on
            placed.programme_id = cut_scores.programme_id
            and placed.task_id = cut_scores.task_id
            and placed.sitting_id = cut_scores.sitting_id
    left join assessors on placed.assessor_key = assessors.assessor_key
)

select * from dated
