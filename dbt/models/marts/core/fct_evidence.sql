-- Grain: one row per data point and competency; of a round of multisource feedback, which is one data point, one
-- per answer. An exam is one data point, also where its stations tell of it because its result is not there. What one
-- respondent of multisource feedback answered is not here: portfolio_msf shows it where enough others answered too.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_evidence__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_evidence__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_evidence__dated') }}
    where {{ is_moved('int_evidence__fingerprinted', 'learner_key') }}
),

targets as (
    select * from {{ ref('int_targets__resolved') }}
),

instruments as (
    select * from {{ ref('stg_instrument') }}
),

scales as (
    select * from {{ ref('int_scales__described') }}
),

answers as (
    select * from {{ ref('int_answers__gathered') }}
    where {{ is_moved('int_evidence__fingerprinted', 'learner_key') }}
),

keyed as (
    select
        evidence.*,
        {{ key(
            'circumstance_key', programme_id='evidence.programme_id', site_id='evidence.plan_site_id',
            stage_id='evidence.stage_id', framework_id='evidence.framework_id',
            competency_id='evidence.competency_id', instrument_id='evidence.instrument_id',
            scale_id='evidence.scale_id', scale_version='evidence.scale_version',
            occurred_on='evidence.occurred_on'
        ) }} as circumstance_key,
        coalesce(instruments.method_family = 'multisource', false)
        and {{ is_by_another('evidence') }} as is_withheld
    from evidence
    left join instruments on evidence.instrument_id = instruments.instrument_id
),

joined as (
    select
        ---------- ids
        {{ key(
            'evidence_key', record_key='keyed.record_key', competency_id='keyed.competency_id'
        ) }} as evidence_key,
        {{ evidence_id('keyed.record_key') }} as evidence_id,
        {{ evidence_id('answers.round_record_key') }} as round_id,
        keyed.record_key,
        keyed.event_id,
        keyed.record_id,
        keyed.kind,
        keyed.learner_key,
        keyed.programme_id,
        keyed.site_id,
        keyed.stage_id,
        keyed.rotation_id,
        keyed.competency_id,
        coalesce(targets.framework_id, keyed.framework_id) as framework_id,
        targets.competency_key,
        keyed.instrument_id,
        keyed.task_id,
        keyed.task_key,
        keyed.module_id,
        keyed.sitting_id,
        keyed.form_id,
        keyed.form_record_id,
        keyed.scale_id,
        keyed.scale_version,
        targets.target_scale_version,
        case when not keyed.is_withheld then keyed.assessor_key end as assessor_key,
        ---------- text
        instruments.method_family,
        case when not keyed.is_withheld then keyed.raw_label end as raw_label,
        coalesce(keyed.direction, scales.direction, instruments.direction) as direction,
        keyed.decision_kind,
        targets.target_source,
        case when not keyed.is_withheld then keyed.assessor_role end as assessor_role,
        keyed.setting,
        keyed.case_type,
        keyed.complexity,
        coalesce(keyed.assurance_level, instruments.assurance_level) as assurance_level,
        keyed.result_status,
        keyed.grade,
        case
            when keyed.is_after_enrolment then 'after_enrolment'
            when keyed.is_before_enrolment then 'before_enrolment'
            when keyed.has_no_enrolment_date then 'no_enrolment_date'
        end as timing_note,
        case when not keyed.is_withheld then keyed.narrative_strengths end as narrative_strengths,
        case when not keyed.is_withheld then keyed.narrative_improvements end as narrative_improvements,
        case when not keyed.is_withheld then keyed.narrative_other end as narrative_other,
        ---------- numbers
        case when not keyed.is_withheld then keyed.level end as level,
        targets.target_level,
        keyed.attempt,
        keyed.score,
        keyed.max_score,
        {{ measure_score_share('keyed.score', 'keyed.max_score') }} as score_share,
        keyed.cut_score,
        coalesce(keyed.stake, instruments.stake) as stake,
        ---------- yes or no
        case
            when keyed.is_withheld then null
            when keyed.level is not null
                then {{ measure_is_at_target('keyed.level', 'targets.target_level') }}
            when keyed.cut_score_method = 'number_right'
                then {{ measure_is_at_target('keyed.n_right', 'keyed.cut_score') }}
            else {{ measure_is_at_target('keyed.score', 'keyed.cut_score') }}
        end as is_at_or_above_target,
        keyed.is_withheld,
        keyed.is_flagged,
        keyed.is_banked,
        {{ measure_is_new_evidence('keyed.is_banked', 'keyed.result_status') }}
            as is_new_evidence,
        {{ measure_is_late('coalesce(keyed.submitted_on, keyed.occurred_on)', 'keyed.due_on') }}
            as is_late,
        keyed.is_before_enrolment,
        keyed.is_after_enrolment,
        keyed.has_no_enrolment_date,
        ---------- lists
        keyed.examiner_keys,
        ---------- days and instants
        keyed.occurred_at,
        keyed.occurred_on,
        keyed.submitted_at,
        keyed.submitted_on,
        keyed.due_on,
        ---------- lineage
        keyed.source_id,
        keyed.delivery_id,
        keyed.source_row,
        keyed.source_cell,
        keyed.known_at
    from keyed
    left join answers
        on
            keyed.record_key = answers.record_key
            and keyed.competency_id is not distinct from answers.competency_id
    left join targets on keyed.circumstance_key = targets.circumstance_key
    left join instruments on keyed.instrument_id = instruments.instrument_id
    left join scales on keyed.scale_id = scales.scale_id
)

select * from joined
