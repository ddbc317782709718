-- Grain: one row per data point and competency that counts in a cell: new evidence (not banked),
-- of a known learner, observed by the day of judgement, in the stage that the learner was in then.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
),

plan as (
    select * from {{ ref('int_plan_requirements__chosen') }}
),

scale_targets as (
    select * from {{ ref('int_scale_targets__chosen') }}
),

narratives as (
    select * from {{ ref('int_narratives__marked') }}
),

assigned as (
    select
        ---------- ids
        evidence.evidence_id,
        evidence.record_key,
        evidence.learner_key,
        evidence.programme_id,
        stages.stage_id,
        evidence.competency_id,
        evidence.instrument_id,
        evidence.method_family,
        evidence.scale_id,
        evidence.assessor_key,
        coalesce(plan.target_scale_id, scale_targets.target_scale_id) as target_scale_id,
        ---------- text
        evidence.assessor_role,
        evidence.setting,
        evidence.case_type,
        evidence.assurance_level,
        evidence.narrative_improvements,
        ---------- numbers
        evidence.level,
        coalesce(plan.target_level, scale_targets.target_level) as target_level,
        coalesce({{ list_size('narratives.suggestion_markers') }}, 0) as n_suggestion_markers,
        ---------- yes or no
        evidence.is_flagged,
        evidence.is_at_or_above_target,
        narratives.evidence_id is not null as has_narrative,
        coalesce(
            evidence.level is not null
            and evidence.scale_id
            = coalesce(plan.target_scale_id, scale_targets.target_scale_id),
            false
        ) as is_rated,
        coalesce(
            evidence.scale_id = coalesce(plan.target_scale_id, scale_targets.target_scale_id)
            and {{ measure_is_at_target(
                'evidence.level', 'coalesce(plan.target_level, scale_targets.target_level)'
            ) }},
            false
        ) as is_at_target,
        ---------- days and instants
        evidence.occurred_at,
        evidence.occurred_on
    from evidence
    inner join stages
        on
            evidence.learner_key = stages.learner_key
            and evidence.programme_id = stages.programme_id
            and coalesce(evidence.stage_id, 'no_stage') = stages.stage_id
    left join plan
        on
            stages.programme_id = plan.programme_id
            and stages.plan_site_id is not distinct from plan.site_id
            and stages.stage_id = plan.stage_id
            and evidence.competency_id = plan.competency_id
    left join scale_targets
        on
            stages.learner_key = scale_targets.learner_key
            and stages.programme_id = scale_targets.programme_id
            and stages.stage_id = scale_targets.stage_id
            and evidence.competency_id = scale_targets.competency_id
    left join narratives
        on
            evidence.record_key = narratives.record_key
            and evidence.competency_id = narratives.competency_id
    where
        evidence.competency_id is not null
        and evidence.is_new_evidence
        and evidence.occurred_on <= {{ as_of() }}
)

select * from assigned
