-- Grain: one row per learner's sitting of an exam (attempt), station and examiner: what the examiner gave there
-- in all. Banked results are left out: they are no new performance.
with

items as (
    select
        programme_id,
        task_id,
        sitting_id,
        {{ key('sitting_key') }} as sitting_key,
        station_id,
        examiner_key,
        item_id,
        sum(points) / count(*) as points
    from {{ ref('int_exam_responses__scored') }}
    where station_id is not null and not is_banked and points is not null
    group by
        programme_id, task_id, sitting_id, learner_key, attempt, station_id, examiner_key, item_id
)

select
    ---------- ids
    programme_id,
    task_id,
    sitting_id,
    sitting_key,
    station_id,
    examiner_key,
    ---------- numbers
    count(*) as n_items,
    cast(sum(points) as decimal(18, 6)) as points
from items
group by programme_id, task_id, sitting_id, sitting_key, station_id, examiner_key
