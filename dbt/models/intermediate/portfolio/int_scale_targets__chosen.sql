-- Grain: one row per learner, stage and competency whose target no plan names, while all ratings that
-- count there are on one scale that has a target of its own. The target is that of the version that counts: the
-- one that more of the ratings have, of equally common ones the newest. What learners say of themselves, and single
-- answers in multisource feedback, count in no cell and choose no scale for it.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
        and competency_id is not null
        and target_level is not null
        and is_new_evidence
        and not is_withheld
        and {{ is_by_another('evidence') }}
        and occurred_on <= {{ as_of() }}
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
),

plan as (
    select * from {{ ref('int_plan_requirements__chosen') }}
    where target_level is not null
),

scales as (
    select * from {{ ref('int_scales__described') }}
),

unplanned as (
    select
        evidence.*,
        stages.stage_id as cell_stage_id,
        coalesce(evidence.scale_version, scales.newest_version, '') as rated_version
    from evidence
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
    left join scales on evidence.scale_id = scales.scale_id
    where plan.competency_id is null
),

by_version as (
    select
        learner_key,
        programme_id,
        cell_stage_id,
        competency_id,
        scale_id,
        rated_version,
        max(target_level) as target_level,
        row_number() over (
            partition by learner_key, programme_id, cell_stage_id, competency_id
            order by count(*) desc, {{ version_order('rated_version') }} desc
        ) as commonest_first
    from unplanned
    group by learner_key, programme_id, cell_stage_id, competency_id, scale_id, rated_version
),

chosen as (
    select
        ---------- ids
        learner_key,
        programme_id,
        cell_stage_id as stage_id,
        competency_id,
        max(scale_id) as target_scale_id,
        max(case when commonest_first = 1 then rated_version end) as target_scale_version,
        ---------- numbers
        max(case when commonest_first = 1 then target_level end) as target_level
    from by_version
    group by learner_key, programme_id, cell_stage_id, competency_id
    having count(distinct scale_id) = 1
)

select * from chosen
