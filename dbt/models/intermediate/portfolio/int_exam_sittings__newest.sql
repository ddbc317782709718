-- Grain: one row per learner and exam that a cut-score is held against: its newest sitting.
with

held_against_cut as (
    select * from {{ ref('fct_exam_sitting') }}
    where
        is_at_or_above_cut is not null
        and coalesce(result_status, 'scored') = 'scored'
        and {{ has_come('occurred_on') }}
),

tasks as (
    select * from {{ ref('dim_task') }}
),

-- What was carried over is a sitting too, and open work is no exam. Progress tests follow each other, so
-- that the newest stands for them all.
ranked as (
    select
        sittings.*,
        row_number() over (
            partition by
                sittings.learner_key,
                sittings.programme_id,
                case when {{ is_progress_test('tasks') }} then 'progress_test' else sittings.task_key end
            order by sittings.occurred_on desc, sittings.attempt desc, sittings.sitting_key asc
        ) as newest_first
    from held_against_cut as sittings
    left join tasks on sittings.task_key = tasks.task_key
    where coalesce(tasks.assurance_level, '') <> 'open'
)

select
    ---------- ids
    sitting_key,
    learner_key,
    programme_id,
    ---------- yes or no
    is_at_or_above_cut,
    ---------- days and instants
    occurred_on,
    known_at
from ranked
where newest_first = 1
