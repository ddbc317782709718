-- Grain: one row per accepted, superseded, duplicate, voided or quarantined event of any kind.
{%- set kinds = [
    'workplace_assessment', 'exam_result', 'exam_response', 'ai_use_declaration', 'reflection',
    'meeting_note', 'learner', 'learner_stage', 'demographics', 'consent', 'assessor', 'task',
    'framework', 'assessment_plan', 'committee', 'decision', 'action', 'circumstance',
    'requirement', 'professionalism_report', 'void',
] %}
with

unioned as (
    {% for kind in kinds %}
    select
        ---------- ids
        event_id,
        record_key,
        source_id,
        delivery_id,
        ---------- text
        '{{ kind }}' as kind,
        present_outcome,
        ---------- days and instants
        known_at
    from {{ source('raw', kind) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from unioned
