-- Grain: one row per accepted response to an item or station.
with

responses as (
    select * from {{ ref('int_exam_responses__scored') }}
)

select
    ---------- ids
    record_key,
    event_id,
    {{ key('sitting_key') }} as sitting_key,
    learner_key,
    programme_id,
    site_id,
    task_id,
    task_key,
    item_task_key,
    sitting_id,
    item_id,
    station_id,
    competency_id,
    examiner_key,
    ---------- text
    response,
    response_status,
    item_outcome,
    scoring_rule,
    answer_key,
    global_rating,
    ---------- numbers
    attempt,
    score,
    max_score,
    points,
    max_points,
    points_wrong,
    exact_score,
    graded_score,
    ---------- yes or no
    is_blank,
    is_banked,
    ---------- days and instants
    occurred_at,
    occurred_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from responses
