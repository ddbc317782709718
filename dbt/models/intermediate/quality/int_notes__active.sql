-- Grain: one row per oddity that intake noted about an accepted record or about a delivery as a whole.
with

notes as (
    select * from {{ ref('stg_note') }}
),

records as (
    select kind, event_id, record_key, learner_key from {{ ref('int_records__accepted') }}
    union all
    select 'assessor', event_id, record_key, null from {{ ref('stg_assessor') }}
    union all
    select 'task', event_id, record_key, null from {{ ref('stg_task') }}
    union all
    select 'framework', event_id, record_key, null from {{ ref('stg_framework') }}
    union all
    select 'assessment_plan', event_id, record_key, null from {{ ref('stg_assessment_plan') }}
    union all
    select 'committee', event_id, record_key, null from {{ ref('stg_committee') }}
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
