-- Grain: one row per learner and event: each data point and competency, declaration, reflection,
-- meeting note, decision (also one that does not stand, as a kind of its own), agreed and closed
-- action, and the first and last day of each stretch.
with

evidence as (
    select * from {{ ref('fct_evidence') }}
),

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

instruments as (
    select * from {{ ref('dim_instrument') }}
),

tasks as (
    select * from {{ ref('dim_task') }}
),

competencies as (
    select * from {{ ref('int_competencies__named') }}
),

evidence_events as (
    select
        evidence.evidence_key as event_key,
        evidence.learner_key,
        evidence.programme_id,
        evidence.occurred_at as event_at,
        evidence.occurred_on as event_on,
        evidence.kind as event_kind,
        coalesce(instruments.title, tasks.title, evidence.instrument_id) as title,
        coalesce(
            evidence.raw_label,
            case
                when evidence.result_status in ('absent', 'exempt', 'not_scored')
                    then replace(evidence.result_status, '_', ' ')
            end,
            {{ score_text('evidence.score') }}
            || coalesce(' of ' || {{ score_text('evidence.max_score') }}, ''),
            'level ' || cast(evidence.level as varchar)
        ) as detail,
        evidence.record_key,
        evidence.evidence_id,
        evidence.competency_id,
        competencies.title as competency_title,
        evidence.instrument_id,
        evidence.method_family,
        evidence.task_id,
        evidence.scale_id,
        evidence.assessor_key,
        evidence.assessor_role,
        evidence.setting,
        evidence.level,
        evidence.target_level,
        evidence.score_share,
        evidence.is_at_or_above_target,
        evidence.assurance_level,
        evidence.is_flagged,
        evidence.is_banked,
        evidence.known_at
    from evidence
    left join instruments on evidence.instrument_id = instruments.instrument_id
    left join tasks on evidence.task_key = tasks.task_key
    left join competencies
        on
            evidence.programme_id = competencies.programme_id
            and evidence.competency_id = competencies.competency_id
),

other_events as (
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
        cast(null as varchar) as competency_id,
        cast(null as varchar) as evidence_id,
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
        cast(null as varchar) as task_id,
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
        cast(null as varchar) as task_id,
        cast(null as varchar) as competency_id,
        cast(null as varchar) as evidence_id,
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
        cast(null as varchar) as task_id,
        cast(null as varchar) as competency_id,
        cast(null as varchar) as evidence_id,
        known_at
    from decisions

    union all

    select
        record_key || ':action_agreed' as event_key,
        learner_key,
        programme_id,
        cast(null as timestamptz) as event_at,
        agreed_on as event_on,
        'action_agreed' as event_kind,
        'action agreed' as title,
        description as detail,
        record_key,
        cast(null as varchar) as task_id,
        competency_id,
        cast(null as varchar) as evidence_id,
        known_at
    from actions

    union all

    select
        record_key || ':action_done' as event_key,
        learner_key,
        programme_id,
        cast(null as timestamptz) as event_at,
        done_on as event_on,
        'action_done' as event_kind,
        'action done' as title,
        description as detail,
        record_key,
        cast(null as varchar) as task_id,
        competency_id,
        cast(null as varchar) as evidence_id,
        known_at
    from actions
    where done_on is not null

    union all

    select
        record_key || ':period_started' as event_key,
        learner_key,
        programme_id,
        cast(null as timestamptz) as event_at,
        starts_on as event_on,
        'period_started' as event_kind,
        replace(period_type, '_', ' ') || ' begins' as title,
        period_id as detail,
        record_key,
        cast(null as varchar) as task_id,
        cast(null as varchar) as competency_id,
        cast(null as varchar) as evidence_id,
        known_at
    from periods
    where starts_on is not null

    union all

    select
        record_key || ':period_ended' as event_key,
        learner_key,
        programme_id,
        cast(null as timestamptz) as event_at,
        ends_on as event_on,
        'period_ended' as event_kind,
        replace(period_type, '_', ' ') || ' ends' as title,
        period_id as detail,
        record_key,
        cast(null as varchar) as task_id,
        cast(null as varchar) as competency_id,
        cast(null as varchar) as evidence_id,
        known_at
    from periods
    where ends_on is not null
),

unioned as (
    select * from evidence_events

    union all

    select
        event_key,
        learner_key,
        programme_id,
        event_at,
        event_on,
        event_kind,
        title,
        detail,
        record_key,
        evidence_id,
        competency_id,
        cast(null as varchar) as competency_title,
        cast(null as varchar) as instrument_id,
        cast(null as varchar) as method_family,
        task_id,
        cast(null as varchar) as scale_id,
        cast(null as varchar) as assessor_key,
        cast(null as varchar) as assessor_role,
        cast(null as varchar) as setting,
        cast(null as bigint) as level,
        cast(null as bigint) as target_level,
        cast(null as decimal(9, 6)) as score_share,
        cast(null as boolean) as is_at_or_above_target,
        cast(null as varchar) as assurance_level,
        false as is_flagged,
        false as is_banked,
        known_at
    from other_events
),

final as (
    select
        ---------- ids
        event_key,
        learner_key,
        programme_id,
        event_kind,
        record_key,
        evidence_id,
        competency_id,
        instrument_id,
        task_id,
        scale_id,
        assessor_key,
        ---------- text
        title,
        detail,
        competency_title,
        method_family,
        assessor_role,
        setting,
        assurance_level,
        ---------- numbers
        level,
        target_level,
        score_share,
        ---------- yes or no
        is_at_or_above_target,
        is_flagged,
        is_banked,
        coalesce(event_on > {{ as_of() }}, false) as is_after_as_of,
        ---------- days and instants
        event_at,
        event_on,
        known_at
    from unioned
)

select * from final
