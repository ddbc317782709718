-- Grain: one row per learner and stretch of days in one cohort; the stretches of a learner do not overlap and
-- leave no day out. The last is that of the newest roster record, which replaces older ones of who entered no
-- earlier; the first also holds for the days before.
{{ config(materialized='table') }}

with

roster as (
    select * from {{ ref('stg_learner') }}
),

ranked as (
    select
        *,
        coalesce(entered_on, {{ first_day() }}) as start_on,
        row_number() over (
            partition by learner_key
            order by known_at desc, entered_on desc nulls last, record_key desc
        ) as recency
    from roster
),

followed as (
    select
        *,
        min(start_on) over (
            partition by learner_key
            order by recency
            rows between unbounded preceding and 1 preceding
        ) as next_on
    from ranked
),

ordered as (
    select
        *,
        row_number() over (partition by learner_key order by start_on) as stretch
    from followed
    where next_on is null or start_on < next_on
)

select
    ---------- ids
    learner_key,
    programme_id,
    site_id,
    cohort_id,
    record_key,
    ---------- days and instants
    entered_on,
    case when stretch = 1 then {{ first_day() }} else start_on end as from_on,
    coalesce({{ add_days('next_on', -1) }}, {{ last_day() }}) as to_on
from ordered
