-- Grain: one row per oddity that intake noted about an accepted record or about a delivery as a
-- whole.
{%- set kinds_without_learner = ['assessor', 'task', 'framework', 'assessment_plan', 'committee'] %}
with

notes as (
    select * from {{ ref('stg_note') }}
),

records as (
    select
        event_id,
        record_key,
        learner_key
    from {{ ref('int_records__accepted') }}
    {% for kind in kinds_without_learner %}
    union all
    select
        event_id,
        record_key,
        null as learner_key
    from {{ ref('stg_' ~ kind) }}
    {% endfor %}
),

active as (
    select
        notes.code,
        notes.kind,
        records.record_key,
        notes.source_id,
        notes.delivery_id,
        records.learner_key,
        notes.field,
        notes.detail
    from notes
    left join records on notes.event_id = records.event_id
    where notes.event_id is null or records.event_id is not null
)

select * from active
