-- Grain: one row per data point and competency that counts in a cell: new evidence (not banked),
-- of a known learner, observed by the day of judgement, in the stage that the learner was in then.
-- Ratings that look back and ratings that look ahead are never counted together: those of the
-- target scale's direction count, or, where the scale names none, of the cell's commoner direction.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
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
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

scale_versions as (
    select
        scale_id,
        max(scale_version) as scale_version
    from {{ ref('stg_scale_level') }}
    group by scale_id
),

scale_directions as (
    select
        scale_id,
        max(direction) as direction
    from {{ ref('stg_scale_level') }}
    group by scale_id
    having count(distinct direction) = 1
),

assigned as (
    select
        ---------- ids
        evidence.evidence_id,
        evidence.record_key,
        evidence.learner_key,
        evidence.programme_id,
        stages.stage_id,
        coalesce(evidence.rotation_id, 'none') as rotation_id,
        evidence.competency_id,
        evidence.instrument_id,
        evidence.method_family,
        evidence.scale_id,
        coalesce(evidence.scale_version, scale_versions.scale_version, '') as scale_version,
        evidence.assessor_key,
        coalesce(plan.target_scale_id, scale_targets.target_scale_id) as target_scale_id,
        ---------- text
        evidence.assessor_role,
        evidence.setting,
        evidence.case_type,
        evidence.assurance_level,
        evidence.direction,
        scale_directions.direction as scale_direction,
        ---------- numbers
        evidence.level,
        coalesce(plan.target_level, scale_targets.target_level) as target_level,
        cast(coalesce(length(trim(evidence.narrative_improvements)), 0) as bigint)
            as n_improvement_characters,
        coalesce({{ list_size('narratives.suggestion_markers') }}, 0) as n_suggestion_markers,
        ---------- yes or no
        evidence.is_flagged,
        evidence.is_at_or_above_target,
        narratives.record_key is not null as has_narrative,
        coalesce(
            evidence.level is not null
            and evidence.scale_id
            = coalesce(plan.target_scale_id, scale_targets.target_scale_id),
            false
        ) as is_on_scale,
        coalesce(
            {{ measure_is_at_target(
                'evidence.level', 'coalesce(plan.target_level, scale_targets.target_level)'
            ) }},
            false
        ) as reaches_target,
        ---------- lists
        evidence.examiner_keys,
        ---------- days and instants
        evidence.occurred_at,
        evidence.occurred_on
    from evidence
    left join narratives
        on
            evidence.record_key = narratives.record_key
            and evidence.competency_id = narratives.competency_id
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
    left join scale_versions on evidence.scale_id = scale_versions.scale_id
    left join scale_directions
        on coalesce(plan.target_scale_id, scale_targets.target_scale_id) = scale_directions.scale_id
    where
        evidence.competency_id is not null
        and evidence.is_new_evidence
        and {{ has_come('evidence.occurred_on') }}
),

directions as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        count(case when direction = 'prospective' then 1 end)
        > count(case when direction = 'retrospective' then 1 end) as is_prospective
    from assigned
    where is_on_scale and scale_direction is null
    group by learner_key, programme_id, stage_id, competency_id
),

directed as (
    select
        assigned.*,
        coalesce(
            assigned.scale_direction,
            case when directions.is_prospective then 'prospective' else 'retrospective' end
        ) as counted_direction
    from assigned
    left join directions
        on
            assigned.learner_key = directions.learner_key
            and assigned.programme_id = directions.programme_id
            and assigned.stage_id = directions.stage_id
            and assigned.competency_id = directions.competency_id
),

final as (
    select
        ---------- ids
        evidence_id,
        record_key,
        learner_key,
        programme_id,
        stage_id,
        rotation_id,
        competency_id,
        instrument_id,
        method_family,
        scale_id,
        scale_version,
        assessor_key,
        target_scale_id,
        ---------- text
        assessor_role,
        setting,
        case_type,
        assurance_level,
        counted_direction,
        ---------- numbers
        level,
        target_level,
        n_improvement_characters,
        n_suggestion_markers,
        ---------- yes or no
        is_flagged,
        is_at_or_above_target,
        has_narrative,
        is_on_scale and coalesce(direction, counted_direction) = counted_direction as is_rated,
        is_on_scale and coalesce(direction, counted_direction) <> counted_direction
            as is_rated_apart,
        is_on_scale and reaches_target and coalesce(direction, counted_direction) = counted_direction
            as is_at_target,
        is_on_scale and reaches_target and coalesce(direction, counted_direction) <> counted_direction
            as is_at_target_apart,
        ---------- lists
        examiner_keys,
        ---------- days and instants
        occurred_at,
        occurred_on
    from directed
)

select * from final
-- What is counted by learner is counted in half the time where a learner's rows lie together.
order by learner_key
