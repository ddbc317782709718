-- Grain: one row per learner, task, attempt and day on which work on the task was handed in.
{{ config(materialized='table') }}

with

evidence as (
    select * from {{ ref('int_evidence__unioned') }}
),

handed_in as (
    select
        ---------- ids
        learner_key,
        programme_id,
        task_id,
        min(site_id) as site_id,
        min(record_key) as record_key,
        ---------- numbers
        coalesce(attempt, 1) as attempt,
        ---------- days and instants
        coalesce(submitted_on, occurred_on) as handed_in_on,
        min(known_at) as known_at
    from evidence
    where
        task_id is not null
        and not is_banked
        and coalesce(result_status, 'scored') in ('scored', 'not_scored')
    group by
        learner_key, programme_id, task_id, coalesce(attempt, 1), coalesce(submitted_on, occurred_on)
)

select * from handed_in
