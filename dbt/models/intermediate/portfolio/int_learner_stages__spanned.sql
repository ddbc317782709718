-- Grain: one row per learner, programme and stage that has begun or holds evidence. Evidence
-- outside every stage, and a learner without one, have the stage `no_stage`. A stage is judged on its
-- last day, or today, and by the plan that was in force then, at the site that its dated records named last; where
-- they name none, at the learner's present site.
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

plans as (
    select distinct
        programme_id,
        site_id,
        stage_id,
        from_on,
        to_on
    from {{ ref('int_plan_requirements__chosen') }}
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
        {{ stage_or_none('stage_id') }} as stage_id
    from learners

    union

    select
        learner_key,
        programme_id,
        {{ stage_or_none('stage_id') }} as stage_id
    from evidence
),

spanned as (
    select
        learner_key,
        programme_id,
        period_id as stage_id,
        max_by(site_id, case when site_id is not null then from_on end) as site_id,
        min(from_on) as from_on,
        max(to_on) as to_on
    from periods
    group by learner_key, programme_id, period_id
),

dated as (
    select
        ---------- ids
        named.learner_key,
        named.programme_id,
        named.stage_id,
        coalesce(spanned.site_id, learners.site_id) as site_id,
        ---------- yes or no
        named.programme_id = learners.programme_id
        and named.stage_id = {{ stage_or_none('learners.stage_id') }} as is_current,
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
),

judged as (
    select
        ---------- ids
        dated.learner_key,
        dated.programme_id,
        dated.stage_id,
        dated.site_id,
        plans_of_site.site_id as plan_site_id,
        ---------- yes or no
        dated.is_current,
        ---------- days and instants
        dated.from_on,
        dated.to_on,
        dated.judged_on,
        coalesce(plans_of_site.from_on, plans_of_all.from_on) as plan_from_on
    from dated
    left join plans as plans_of_site
        on
            dated.programme_id = plans_of_site.programme_id
            and dated.stage_id = plans_of_site.stage_id
            and dated.site_id = plans_of_site.site_id
            and dated.judged_on between plans_of_site.from_on and plans_of_site.to_on
    left join plans as plans_of_all
        on
            dated.programme_id = plans_of_all.programme_id
            and dated.stage_id = plans_of_all.stage_id
            and plans_of_all.site_id is null
            and dated.judged_on between plans_of_all.from_on and plans_of_all.to_on
)

select * from judged
