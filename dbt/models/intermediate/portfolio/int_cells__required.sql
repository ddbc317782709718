-- Grain: one row per learner, stage and competency: what the plan asks of the present stage (where
-- there is no plan for it, the leaves of the framework in force), and what has evidence in any stage.
{{ config(materialized='table') }}

with

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
),

plan as (
    select * from {{ ref('int_plan_requirements__chosen') }}
),

competencies as (
    select * from {{ ref('int_competencies__named') }}
),

versions as (
    select * from {{ ref('int_competencies__dated') }}
),

scale_targets as (
    select * from {{ ref('int_scale_targets__chosen') }}
),

seen as (
    select * from {{ ref('int_cells__counted') }}
),

planned_stages as (
    select distinct
        programme_id,
        site_id,
        stage_id,
        from_on
    from plan
),

asked_by_plan as (
    select
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        plan.competency_id
    from stages
    inner join plan
        on
            stages.programme_id = plan.programme_id
            and stages.plan_site_id is not distinct from plan.site_id
            and stages.plan_from_on = plan.from_on
            and stages.stage_id = plan.stage_id
    where stages.is_current
),

-- A competency of several versions is asked for once.
asked_by_framework as (
    select distinct
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        competencies.competency_id
    from stages
    inner join competencies
        on stages.programme_id = competencies.programme_id and competencies.is_leaf
    inner join versions
        on
            {{ same('competencies', 'versions', ['programme_id', 'competency_id']) }}
            and stages.judged_on between versions.from_on and versions.to_on
    left join planned_stages
        on
            stages.programme_id = planned_stages.programme_id
            and stages.plan_site_id is not distinct from planned_stages.site_id
            and stages.plan_from_on = planned_stages.from_on
            and stages.stage_id = planned_stages.stage_id
    where stages.is_current and planned_stages.stage_id is null
),

asked as (
    select
        *,
        'plan' as required_by
    from asked_by_plan

    union all

    select
        *,
        'framework' as required_by
    from asked_by_framework
),

cells as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id
    from asked

    union

    select
        learner_key,
        programme_id,
        stage_id,
        competency_id
    from seen
),

required as (
    select
        ---------- ids
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        competencies.framework_id,
        competencies.framework_version,
        coalesce(plan.target_scale_id, scale_targets.target_scale_id) as target_scale_id,
        plan.target_scale_version,
        ---------- text
        competencies.title as competency_title,
        asked.required_by,
        case
            when plan.target_level is not null then 'assessment_plan'
            when scale_targets.target_level is not null then 'scale'
        end as target_source,
        plan.requirement_source,
        ---------- numbers
        competencies.sort_order,
        plan.required_n,
        plan.required_assessors,
        coalesce(plan.target_level, scale_targets.target_level) as target_level,
        ---------- yes or no
        stages.is_current as is_current_stage,
        asked.required_by is not null as is_required,
        ---------- days and instants
        stages.judged_on,
        nullif(stages.judged_on, {{ as_of() }}) as stage_ended_on
    from cells
    inner join stages
        on
            cells.learner_key = stages.learner_key
            and cells.programme_id = stages.programme_id
            and cells.stage_id = stages.stage_id
    left join asked
        on
            cells.learner_key = asked.learner_key
            and cells.programme_id = asked.programme_id
            and cells.stage_id = asked.stage_id
            and cells.competency_id = asked.competency_id
    left join plan
        on
            cells.programme_id = plan.programme_id
            and stages.plan_site_id is not distinct from plan.site_id
            and stages.plan_from_on = plan.from_on
            and cells.stage_id = plan.stage_id
            and cells.competency_id = plan.competency_id
    left join scale_targets
        on
            cells.learner_key = scale_targets.learner_key
            and cells.programme_id = scale_targets.programme_id
            and cells.stage_id = scale_targets.stage_id
            and cells.competency_id = scale_targets.competency_id
    left join competencies
        on
            cells.programme_id = competencies.programme_id
            and cells.competency_id = competencies.competency_id
)

select * from required
