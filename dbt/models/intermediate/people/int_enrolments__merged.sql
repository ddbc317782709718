-- Grain: one row per learner, programme and enrolment (a module run, or the programme itself).
with

enrolments as (
    select * from {{ ref('stg_learner_stage') }}
    where period_type = 'enrolment' and not is_planned
),

ranked as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, period_id
            order by starts_on desc nulls last, known_at desc, record_key desc
        ) as recency
    from enrolments
),

merged as (
    select
        ---------- ids
        learner_key,
        programme_id,
        period_id,
        ---------- text
        max(case when recency = 1 then status end) as status,
        max(case when recency = 1 then outcome end) as outcome,
        ---------- numbers
        count(*) as n_records,
        ---------- yes or no
        max(case when starts_on is null then 1 else 0 end) = 1 as has_open_start,
        max(case when ends_on is null then 1 else 0 end) = 1 as has_open_end,
        ---------- days and instants
        min(starts_on) as starts_on,
        max(ends_on) as ends_on
    from ranked
    group by learner_key, programme_id, period_id
)

select * from merged
