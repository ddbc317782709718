-- Grain: one row per learner, sitting of an exam, station and item that was presented, with the points that
-- it earned there. An item that several examiners scored counts once, with the mean and a joint verdict. Of
-- several attempts at one sitting the first counts, so that nobody is described twice. Banked results are left
-- out: they are no new answers.
{{ config(materialized='table') }}

with

responses as (
    select
        *,
        {{ key('sitting_key') }} as sitting_key,
        min(attempt) over (
            partition by programme_id, task_id, sitting_id, learner_key
        ) as first_attempt
    from {{ ref('int_exam_responses__scored') }}
    where not is_banked
),

gathered as (
    select
        programme_id,
        task_id,
        sitting_id,
        sitting_key,
        coalesce(station_id, '') as station_id,
        item_id,
        min(learner_key) as learner_key,
        {{ measure_joint_outcome('item_outcome') }} as item_outcome,
        min(response) as response,
        min(answer_key) as answer_key,
        {{ measure_mean_points('points') }} as points,
        {{ measure_mean_points('max_points') }} as max_points
    from responses
    where item_outcome <> 'not_presented' and attempt = first_attempt
    group by programme_id, task_id, sitting_id, sitting_key, coalesce(station_id, ''), item_id
)

select
    ---------- ids
    programme_id,
    task_id,
    sitting_id,
    sitting_key,
    learner_key,
    station_id,
    item_id,
    ---------- text
    item_outcome,
    response,
    answer_key,
    ---------- numbers
    points,
    max_points,
    cast(
        case
            when points is null then null
            when item_outcome = 'right' then 1
            when item_outcome in ('wrong', 'omitted', 'dont_know') then 0
            -- An item with a key is right or wrong, also one left blank that came with a score.
            when item_outcome = 'scored' and answer_key is not null and points = max_points then 1
            when item_outcome = 'scored' and answer_key is not null and points <= 0 then 0
        end as integer
    ) as right_or_wrong
from gathered
