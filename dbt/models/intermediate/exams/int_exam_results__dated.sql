-- Grain: one row per accepted exam result, with the day it happened on. A day that the source
-- counts from the start of the module becomes a date; where the start is not known either, the
-- day on which it was handed in, or became known, stands in.
with

results as (
    select * from {{ ref('stg_exam_result') }}
),

tasks as (
    select * from {{ ref('int_tasks__current') }}
),

build as (
    select * from {{ ref('stg_build_input') }}
),

counted as (
    select
        results.*,
        coalesce(
            results.occurred_on,
            {{ add_days('tasks.module_starts_on', 'results.relative_day') }}
        ) as stated_on,
        coalesce(build.time_zone, 'UTC') as time_zone
    from results
    cross join build
    left join tasks
        on
            results.programme_id = tasks.programme_id
            and results.task_id = tasks.task_id
),

filled as (
    select
        *,
        coalesce(stated_on, submitted_on, {{ day_in_zone('known_at', 'time_zone') }}) as dated_on
    from counted
),

dated as (
    select
        ---------- ids
        record_key,
        event_id,
        learner_key,
        programme_id,
        site_id,
        record_id,
        task_id,
        sitting_id,
        instrument_id,
        competency_id,
        banked_from_sitting_id,
        ---------- text
        result_status,
        grade,
        ---------- numbers
        attempt,
        score,
        max_score,
        n_right,
        n_wrong,
        n_dont_know,
        n_omitted,
        ---------- yes or no
        is_banked,
        stated_on is null as is_day_unknown,
        ---------- days and instants
        coalesce(occurred_at, {{ day_start('dated_on', 'time_zone') }}) as occurred_at,
        dated_on as occurred_on,
        submitted_at,
        submitted_on,
        ---------- lineage
        source_id,
        delivery_id,
        source_row,
        source_cell,
        known_at
    from filled
)

select * from dated
