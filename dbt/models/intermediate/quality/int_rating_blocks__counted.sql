-- Grain: one row per sitting, station, examiner and learner: how many of the items of that
-- station the examiner scored.
with

responses as (
    select * from {{ ref('stg_exam_response') }}
),

items as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        count(distinct item_id) as n_items
    from responses
    group by programme_id, task_id, sitting_id, station_id
),

blocks as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        attempt,
        examiner_key,
        learner_key,
        min(record_key) as record_key,
        min(source_id) as source_id,
        min(delivery_id) as delivery_id,
        count(distinct item_id) as n_scored
    from responses
    where examiner_key is not null
    group by
        programme_id, task_id, sitting_id, station_id, attempt, examiner_key, learner_key
),

counted as (
    select
        blocks.*,
        items.n_items
    from blocks
    inner join items
        on
            blocks.programme_id = items.programme_id
            and blocks.task_id = items.task_id
            and blocks.sitting_id = items.sitting_id
            and blocks.station_id is not distinct from items.station_id
)

select * from counted
