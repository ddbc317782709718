-- Grain: one row per accepted record of any kind that names a learner.
{%- set kinds = [
    'workplace_assessment', 'exam_result', 'exam_response', 'ai_use_declaration', 'reflection',
    'meeting_note', 'learner', 'learner_stage', 'demographics', 'consent', 'decision', 'action',
    'circumstance', 'requirement', 'professionalism_report',
] %}
with

unioned as (
    {% for kind in kinds %}
    select
        '{{ kind }}' as kind,
        record_key,
        event_id,
        learner_key,
        programme_id,
        site_id,
        source_id,
        delivery_id,
        known_at
    from {{ ref('stg_' ~ kind) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from unioned
