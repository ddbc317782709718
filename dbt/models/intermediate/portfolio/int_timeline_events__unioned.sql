-- Grain: one row per learner and event that is no data point: declaration, reflection, meeting note,
-- decision (also one that does not stand, as a kind of its own), agreed and closed action, and the
-- first and last day of each stretch.
with

declarations as (
    select * from {{ ref('fct_ai_declaration') }}
    where is_on_record
),

reflections as (
    select * from {{ ref('fct_reflection') }}
),

meeting_notes as (
    select * from {{ ref('fct_meeting_note') }}
),

decisions as (
    select * from {{ ref('fct_decision') }}
),

actions as (
    select * from {{ ref('fct_action') }}
),

periods as (
    select * from {{ ref('fct_learner_stage') }}
),

tasks as (
    select * from {{ ref('dim_task') }}
),

events as (
    select
        declarations.declaration_key as event_key,
        declarations.learner_key,
        declarations.programme_id,
        declarations.declared_at as event_at,
        declarations.declared_on as event_on,
        'ai_use_declaration' as event_kind,
        coalesce(tasks.title, declarations.task_id) as title,
        declarations.sentence as detail,
        declarations.record_key,
        declarations.task_id,
        cast(null as string) as competency_id,
        cast(null as string) as evidence_id,
        declarations.known_at
    from declarations
    left join tasks on declarations.task_key = tasks.task_key

    union all

    select
        record_key || ':reflection' as event_key,
        learner_key,
        programme_id,
        occurred_at as event_at,
        occurred_on as event_on,
        'reflection' as event_kind,
        replace(reflection_type, '_', ' ') as title,
        text as detail,
        record_key,
        cast(null as string) as task_id,
        competency_id,
        about_evidence_id as evidence_id,
        known_at
    from reflections

    union all

    select
        record_key || ':meeting_note' as event_key,
        learner_key,
        programme_id,
        occurred_at as event_at,
        occurred_on as event_on,
        'meeting_note' as event_kind,
        meeting_type || ' meeting' as title,
        text as detail,
        record_key,
        cast(null as string) as task_id,
        cast(null as string) as competency_id,
        cast(null as string) as evidence_id,
        known_at
    from meeting_notes

    union all

    select
        record_key || ':decision' as event_key,
        learner_key,
        programme_id,
        decided_at as event_at,
        decided_on as event_on,
        case when standing = 'stands' then 'decision' else 'decision_not_standing' end as event_kind,
        outcome as title,
        rationale as detail,
        record_key,
        cast(null as string) as task_id,
        cast(null as string) as competency_id,
        cast(null as string) as evidence_id,
        known_at
    from decisions

    union all

    select
        record_key || ':action_agreed' as event_key,
        learner_key,
        programme_id,
        cast(null as {{ instant_type() }}) as event_at,
        agreed_on as event_on,
        'action_agreed' as event_kind,
        'action agreed' as title,
        description as detail,
        record_key,
        cast(null as string) as task_id,
        competency_id,
        cast(null as string) as evidence_id,
        known_at
    from actions

    union all

    select
        record_key || ':action_done' as event_key,
        learner_key,
        programme_id,
        cast(null as {{ instant_type() }}) as event_at,
        done_on as event_on,
        'action_done' as event_kind,
        'action done' as title,
        description as detail,
        record_key,
        cast(null as string) as task_id,
        competency_id,
        cast(null as string) as evidence_id,
        known_at
    from actions
    where done_on is not null

    union all

    select
        record_key || ':period_started' as event_key,
        learner_key,
        programme_id,
        cast(null as {{ instant_type() }}) as event_at,
        starts_on as event_on,
        'period_started' as event_kind,
        replace(period_type, '_', ' ') || ' begins' as title,
        period_id as detail,
        record_key,
        cast(null as string) as task_id,
        cast(null as string) as competency_id,
        cast(null as string) as evidence_id,
        known_at
    from periods
    where starts_on is not null

    union all

    select
        record_key || ':period_ended' as event_key,
        learner_key,
        programme_id,
        cast(null as {{ instant_type() }}) as event_at,
        ends_on as event_on,
        'period_ended' as event_kind,
        replace(period_type, '_', ' ') || ' ends' as title,
        period_id as detail,
        record_key,
        cast(null as string) as task_id,
        cast(null as string) as competency_id,
        cast(null as string) as evidence_id,
        known_at
    from periods
    where ends_on is not null
)

select * from events
