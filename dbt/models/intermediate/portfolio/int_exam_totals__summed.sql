-- Grain: one row per learner's sitting of an exam (attempt) with item responses: its total, and
-- whether every item of the sitting was presented and scored. Only complete ones are compared. An item that
-- was scored for nobody is none of them.
{{ config(materialized='table') }}

with

items as (
    select * from {{ ref('int_exam_items__gathered') }}
),

sizes as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(*) as n_items
    from (
        select distinct
            programme_id,
            task_id,
            sitting_id,
            station_id,
            item_id
        from items
        where points is not null
    ) as scored
    group by programme_id, task_id, sitting_id
),

totals as (
    select
        programme_id,
        task_id,
        sitting_id,
        sitting_key,
        count(*) as n_presented,
        count(points) as n_scored,
        count(right_or_wrong) as n_right_or_wrong,
        cast(sum(points) as decimal(18, 6)) as total,
        cast(sum(case when points is not null then max_points end) as decimal(18, 6)) as max_total,
        cast(sum(right_or_wrong) as bigint) as n_right
    from items
    group by programme_id, task_id, sitting_id, sitting_key
),

ranked as (
    select
        totals.*,
        sizes.n_items,
        totals.n_scored = sizes.n_items as is_complete,
        totals.n_right_or_wrong = sizes.n_items as is_right_or_wrong
    from totals
    inner join sizes
        on
            totals.programme_id = sizes.programme_id
            and totals.task_id = sizes.task_id
            and totals.sitting_id = sizes.sitting_id
),

-- The upper and lower group are cut between totals, so that equal totals stay together.
placed as (
    select
        *,
        rank() over (
            partition by programme_id, task_id, sitting_id, is_complete
            order by total desc
        ) as place_from_above,
        rank() over (
            partition by programme_id, task_id, sitting_id, is_complete
            order by total
        ) as place_from_below,
        count(*) over (partition by programme_id, task_id, sitting_id, is_complete)
        * {{ rule_threshold('exams', 'item_analysis', 'group_share') }} as group_size
    from ranked
),

grouped as (
    select
        *,
        place_from_above <= group_size as is_upper,
        place_from_below <= group_size as is_lower
    from placed
)

select
    ---------- ids
    programme_id,
    task_id,
    sitting_id,
    sitting_key,
    ---------- text
    case
        when not is_complete or is_upper = is_lower then null
        when is_upper then 'upper'
        else 'lower'
    end as score_group,
    ---------- numbers
    n_items,
    n_presented,
    total,
    max_total,
    n_right,
    ---------- yes or no
    is_complete,
    is_right_or_wrong
from grouped
