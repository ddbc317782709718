-- Grain: one row per learner and event: each data point and competency, declaration, reflection,
-- meeting note, decision (also one that does not stand, as a kind of its own), agreed and closed
-- action, and the first and last day of each stretch.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_timeline__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_timeline__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where {{ is_moved('int_timeline__fingerprinted', 'learner_key') }}
),

other_events as (
    select * from {{ ref('int_timeline_events__unioned') }}
    where {{ is_moved('int_timeline__fingerprinted', 'learner_key') }}
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
            case when evidence.kind <> 'exam_response' then evidence.raw_label end,
            case
                when evidence.result_status in ('absent', 'exempt', 'not_scored')
                    then replace(evidence.result_status, '_', ' ')
            end,
            {{ score_text('evidence.score') }}
            || coalesce(' of ' || {{ score_text('evidence.max_score') }}, ''),
            evidence.raw_label,
            'level ' || cast(evidence.level as string)
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
        cast(null as string) as competency_title,
        cast(null as string) as instrument_id,
        cast(null as string) as method_family,
        task_id,
        cast(null as string) as scale_id,
        cast(null as string) as assessor_key,
        cast(null as string) as assessor_role,
        cast(null as string) as setting,
        cast(null as bigint) as level,
        cast(null as bigint) as target_level,
        cast(null as decimal(9, 6)) as score_share,
        cast(null as boolean) as is_at_or_above_target,
        cast(null as string) as assurance_level,
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
