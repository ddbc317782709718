-- Grain: one row per learner, programme and stage that has begun or holds evidence. Evidence
-- outside every stage, and a learner without one, have the stage `no_stage`.
{{ config(materialized='table') }}

with

learners as (
    select * from {{ ref('dim_learner') }}
),

evidence as (
    select * from {{ ref('fct_evidence') }}
    where competency_id is not null
),

periods as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'stage' and from_on <= {{ as_of() }}
),

sites_with_plans as (
    select distinct
        programme_id,
        site_id,
        stage_id
    from {{ ref('int_plan_requirements__chosen') }}
    where site_id is not null
),

named as (
    select
        learner_key,
        programme_id,
        period_id as stage_id
    from periods

    union

    select
        learner_key,
        programme_id,
        coalesce(stage_id, 'no_stage') as stage_id
    from learners

    union

    select
        learner_key,
        programme_id,
        coalesce(stage_id, 'no_stage') as stage_id
    from evidence
),

spanned as (
    select
        learner_key,
        programme_id,
        period_id as stage_id,
        min(from_on) as from_on,
        max(to_on) as to_on
    from periods
    group by learner_key, programme_id, period_id
),

judged as (
    select
        ---------- ids
        named.learner_key,
        named.programme_id,
        named.stage_id,
        sites_with_plans.site_id as plan_site_id,
        ---------- yes or no
        named.programme_id = learners.programme_id
        and named.stage_id = coalesce(learners.stage_id, 'no_stage') as is_current,
        ---------- days and instants
        spanned.from_on,
        spanned.to_on,
        least(coalesce(spanned.to_on, {{ last_day() }}), {{ as_of() }}) as judged_on
    from named
    inner join learners on named.learner_key = learners.learner_key
    left join spanned
        on
            named.learner_key = spanned.learner_key
            and named.programme_id = spanned.programme_id
            and named.stage_id = spanned.stage_id
    left join sites_with_plans
        on
            named.programme_id = sites_with_plans.programme_id
            and named.stage_id = sites_with_plans.stage_id
            and learners.site_id = sites_with_plans.site_id
)

select * from judged
