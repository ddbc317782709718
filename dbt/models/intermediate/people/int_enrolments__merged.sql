-- Grain: one row per learner, programme and enrolment (a module run, or the programme itself).
-- Several sources may each know a part of it: days come from those that give days, the status
-- from the newest that gives one.
with

enrolments as (
    select * from {{ ref('stg_learner_stage') }}
    where period_type = 'enrolment' and not is_planned
),

bounds as (
    select
        learner_key,
        programme_id,
        period_id,
        count(*) as n_records,
        min(starts_on) as starts_on,
        max(ends_on) as latest_end,
        max(case when ends_on is null then starts_on end) as latest_open_start
    from enrolments
    group by learner_key, programme_id, period_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, period_id
            order by
                case when status is null then 1 else 0 end asc,
                known_at desc,
                starts_on desc nulls last,
                record_key desc
        ) as preference
    from enrolments
),

newest as (
    select * from ranked
    where preference = 1
),

merged as (
    select
        ---------- ids
        {{ key(
            'enrolment_key',
            learner_key='bounds.learner_key',
            programme_id='bounds.programme_id',
            period_id='bounds.period_id'
        ) }} as enrolment_key,
        bounds.learner_key,
        bounds.programme_id,
        newest.site_id,
        bounds.period_id,
        newest.record_key,
        ---------- text
        newest.status,
        newest.outcome,
        ---------- numbers
        bounds.n_records,
        ---------- days and instants
        bounds.starts_on,
        -- Who starts again after the last end has not ended.
        case
            when bounds.latest_open_start > bounds.latest_end then null
            else bounds.latest_end
        end as ends_on,
        ---------- lineage
        newest.source_id,
        newest.delivery_id,
        newest.known_at
    from bounds
    inner join newest
        on
            bounds.learner_key = newest.learner_key
            and bounds.programme_id = newest.programme_id
            and bounds.period_id = newest.period_id
)

select * from merged
