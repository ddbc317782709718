-- Grain: one row per data point and competency that counts in a cell: new evidence (not banked),
-- of a known learner, by somebody else, observed by the day of judgement, in the stage that the learner
-- was in then. Of a round of multisource feedback one answer is the data point, and the others stand beside it.
-- What learners say of themselves counts for nothing here.
-- Ratings that look back and ratings that look ahead are never counted together: those of the
-- target scale's direction count, or, where the scale names none, of the cell's commoner direction.
-- Nor are versions of a scale: those of the version that the plan names count, or, where it names none,
-- of the cell's commonest version, of equally common ones the newest. Levels of another version than the
-- plan names are not held against its target, nor those of another than the scale's own target is of.
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

scales as (
    select * from {{ ref('int_scales__described') }}
),

rounds as (
    select * from {{ ref('int_rounds__formed') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
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
        coalesce(evidence.scale_version, scales.newest_version, '') as scale_version,
        evidence.assessor_key,
        coalesce(plan.target_scale_id, scale_targets.target_scale_id) as target_scale_id,
        case
            when plan.target_level is null then scale_targets.target_scale_version
            else plan.target_scale_version
        end as target_scale_version,
        ---------- text
        evidence.assessor_role,
        evidence.setting,
        evidence.case_type,
        evidence.assurance_level,
        evidence.direction,
        target_scales.direction as scale_direction,
        ---------- numbers
        evidence.level,
        coalesce(plan.target_level, scale_targets.target_level) as target_level,
        cast(coalesce(length(trim(evidence.narrative_improvements)), 0) as bigint)
            as n_improvement_characters,
        coalesce({{ list_size('narratives.suggestion_markers') }}, 0) as n_suggestion_markers,
        ---------- yes or no
        coalesce(rounds.is_data_point, true) as is_data_point,
        coalesce(rounds.is_flagged, evidence.is_flagged) as is_flagged,
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
    left join rounds
        on
            evidence.record_key = rounds.record_key
            and evidence.competency_id = rounds.competency_id
    inner join stages
        on
            evidence.learner_key = stages.learner_key
            and evidence.programme_id = stages.programme_id
            and {{ stage_or_none('evidence.stage_id') }} = stages.stage_id
    left join plan
        on
            stages.programme_id = plan.programme_id
            and stages.plan_site_id is not distinct from plan.site_id
            and stages.plan_from_on = plan.from_on
            and stages.stage_id = plan.stage_id
            and evidence.competency_id = plan.competency_id
    left join scale_targets
        on
            stages.learner_key = scale_targets.learner_key
            and stages.programme_id = scale_targets.programme_id
            and stages.stage_id = scale_targets.stage_id
            and evidence.competency_id = scale_targets.competency_id
    left join scales on evidence.scale_id = scales.scale_id
    left join scales as target_scales
        on coalesce(plan.target_scale_id, scale_targets.target_scale_id) = target_scales.scale_id
    where
        evidence.competency_id is not null
        and evidence.is_new_evidence
        and {{ is_by_another('evidence') }}
        and {{ has_come('evidence.occurred_on') }}
),

versioned as (
    select
        *,
        coalesce(scale_version = target_scale_version, true) as is_of_target_version
    from assigned
),

by_version as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        scale_version,
        count(*) as n,
        count(case when direction = 'prospective' then 1 end) as n_prospective,
        count(case when direction = 'retrospective' then 1 end) as n_retrospective
    from versioned
    where is_on_scale and is_of_target_version
    group by learner_key, programme_id, stage_id, competency_id, scale_version
),

commonest as (
    select
        *,
        sum(n_prospective) over of_cell > sum(n_retrospective) over of_cell as is_prospective,
        row_number() over (
            partition by learner_key, programme_id, stage_id, competency_id
            order by n desc, {{ version_order('scale_version') }} desc
        ) as commonest_first
    from by_version
    window of_cell as (partition by learner_key, programme_id, stage_id, competency_id)
),

compared as (
    select
        versioned.*,
        coalesce(
            versioned.scale_direction,
            case when commonest.is_prospective then 'prospective' else 'retrospective' end
        ) as counted_direction,
        coalesce(versioned.target_scale_version, commonest.scale_version) as counted_scale_version
    from versioned
    left join commonest
        on
            versioned.learner_key = commonest.learner_key
            and versioned.programme_id = commonest.programme_id
            and versioned.stage_id = commonest.stage_id
            and versioned.competency_id = commonest.competency_id
            and commonest.commonest_first = 1
),

parted as (
    select
        *,
        scale_version = counted_scale_version
        and coalesce(direction, counted_direction) = counted_direction as is_counted_with_others
    from compared
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
        is_data_point,
        is_flagged,
        is_at_or_above_target,
        has_narrative,
        is_on_scale and is_counted_with_others as is_rated,
        is_on_scale and not is_counted_with_others as is_rated_apart,
        is_on_scale and reaches_target and is_counted_with_others as is_at_target,
        is_on_scale and reaches_target and is_of_target_version and not is_counted_with_others
            as is_at_target_apart,
        ---------- lists
        examiner_keys,
        ---------- days and instants
        occurred_at,
        occurred_on
    from parted
)

select * from final
-- What is counted by learner is counted in half the time where a learner's rows lie together.
order by learner_key
