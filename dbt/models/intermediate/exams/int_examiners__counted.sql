-- Grain: one row per sitting of an exam whose responses name examiners: how many there are, and at the
-- station with the fewest, or for the item where there are no stations.
{{ config(materialized='table') }}

with

responses as (
    select * from {{ ref('stg_exam_response') }}
    where examiner_key is not null and not is_banked
),

-- Many responses are of few examiners at a station.
examiners as (
    select distinct
        programme_id,
        task_id,
        sitting_id,
        station_id,
        case when station_id is null then item_id end as own_item_id,
        examiner_key
    from responses
),

parts as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(*) as n_examiners
    from examiners
    group by programme_id, task_id, sitting_id, station_id, own_item_id
),

fewest as (
    select
        programme_id,
        task_id,
        sitting_id,
        min(n_examiners) as n_examiners_min
    from parts
    group by programme_id, task_id, sitting_id
),

counted as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(distinct examiner_key) as n_examiners
    from examiners
    group by programme_id, task_id, sitting_id
)

select
    ---------- ids
    counted.programme_id,
    counted.task_id,
    counted.sitting_id,
    ---------- numbers
    counted.n_examiners,
    fewest.n_examiners_min
from counted
inner join fewest
    on {{ same('counted', 'fewest', ['programme_id', 'task_id', 'sitting_id']) }}
