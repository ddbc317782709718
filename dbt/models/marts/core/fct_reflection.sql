-- Grain: one row per accepted reflection, self-assessment, goal, response or dispute.
with

reflections as (
    select * from {{ ref('stg_reflection') }}
),

evidence as (
    select
        programme_id,
        learner_key,
        record_id,
        min({{ evidence_id() }}) as evidence_id
    from {{ ref('int_evidence__unioned') }}
    group by programme_id, learner_key, record_id
)

select
    ---------- ids
    reflections.record_key,
    reflections.event_id,
    reflections.record_id,
    reflections.learner_key,
    reflections.programme_id,
    reflections.site_id,
    reflections.competency_id,
    reflections.about_record_id,
    evidence.evidence_id as about_evidence_id,
    ---------- text
    reflections.reflection_type,
    reflections.text,
    ---------- days and instants
    reflections.occurred_at,
    reflections.occurred_on,
    reflections.due_on,
    ---------- lineage
    reflections.source_id,
    reflections.delivery_id,
    reflections.source_row,
    reflections.source_cell,
    reflections.known_at
from reflections
left join evidence
    on
        reflections.programme_id = evidence.programme_id
        and reflections.learner_key = evidence.learner_key
        and reflections.about_record_id = evidence.record_id
