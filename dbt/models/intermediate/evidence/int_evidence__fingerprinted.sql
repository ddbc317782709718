-- Grain: one row per learner with evidence or dated periods: a name for all that their rows in the
-- kept tables of evidence are made from, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('evidence') }}") }}

with

-- With what its own task and sitting say: of other tasks a record does not know. What tasks say of
-- items and stations is in the learner's stations. The day of handing in is that of its instant.
evidence as (
    select
        {{ all_but('tasked', ['submitted_on']) }},
        assessors.assessor_role as role_of_assessor
    from {{ ref('int_evidence__tasked') }} as tasked
    left join {{ ref('int_assessors__unioned') }} as assessors
        on tasked.assessor_key = assessors.assessor_key
),

stations as (
    select * from {{ ref('int_exam_stations__gathered') }}
),

history as (
    select * from {{ ref('int_learner_history__spanned') }}
),

learners as (
    select
        learner_key,
        programme_id,
        site_id
    from {{ ref('int_learners__unioned') }}
),

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'msf' and rule_id = 'round'
),

build as (
    select * from {{ ref('stg_build_input') }}
),

-- What the rows of many learners rest on: another plan or scale moves everybody.
shared as (
    select
        build.code_version || ' ' || build.time_zone || ' ' || {{ engine_version() }} || ' '
        || {{ content_hash({
            'competencies': ref('int_competencies__dated'),
            'instruments': ref('stg_instrument'),
            'markers': ref('narrative_marker'),
            'plans': ref('int_plan_targets__dated'),
            'rules': 'rules',
            'scales': ref('stg_scale_level'),
        }) }} as content
    from build
),

own as (
    {{ content_by_learner(['evidence', 'stations', 'history', 'learners', 'enrolments']) }}
),

fingerprinted as (
    select
        own.learner_key,
        {{ hash_text("own.content || ' ' || shared.content") }} as fingerprint
    from own
    cross join shared
),

compared as (
    {{ compared_with_kept('evidence', 'fingerprinted') }}
)

select * from compared
