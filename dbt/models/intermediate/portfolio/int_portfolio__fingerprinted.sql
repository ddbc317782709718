-- Grain: one row per learner with evidence or dated periods: a name for all that their rows in the
-- kept tables of the portfolio are made from, and whether it is another than that of the rows that
-- stand. The day of judgement counts by what it lets in: stages that began, evidence that is past.
{{ config(materialized='table', post_hook="{{ forget_moved('portfolio') }}") }}

with

evidence as (
    select
        learner_key,
        count(*) as n_past
    from {{ ref('fct_evidence') }}
    where occurred_on <= {{ as_of() }}
    group by learner_key
),

stages as (
    select
        learner_key,
        programme_id,
        stage_id,
        plan_site_id,
        plan_from_on,
        is_current,
        from_on,
        to_on
    from {{ ref('int_learner_stages__spanned') }}
),

stages_of_learner as (
    {{ content_by_learner(['stages']) }}
),

learners as (
    select
        learner_key,
        programme_id,
        site_id,
        stage_id
    from {{ ref('dim_learner') }}
),

shared as (
    select
        {{ content_hash({
            'competencies': ref('int_competencies__named'),
            'links': ref('bridge_competency'),
            'requirements': ref('int_plan_requirements__chosen'),
        }) }} as content
),

fingerprinted as (
    select
        of_evidence.learner_key,
        {{ hash_text(
            "of_evidence.fingerprint || ' ' || shared.content"
            " || ' ' || coalesce(stages_of_learner.content, '')"
            " || ' ' || cast(coalesce(evidence.n_past, 0) as string)"
            " || ' ' || coalesce(learners.programme_id, '') || chr(31)"
            " || coalesce(learners.site_id, '') || chr(31) || coalesce(learners.stage_id, '')"
        ) }} as fingerprint
    from {{ ref('int_evidence__fingerprinted') }} as of_evidence
    cross join shared
    left join stages_of_learner on of_evidence.learner_key = stages_of_learner.learner_key
    left join evidence on of_evidence.learner_key = evidence.learner_key
    left join learners on of_evidence.learner_key = learners.learner_key
),

compared as (
    {{ compared_with_kept('portfolio', 'fingerprinted') }}
)

select * from compared
