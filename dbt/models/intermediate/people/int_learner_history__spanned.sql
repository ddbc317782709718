-- Grain: one row per learner, programme, period type (stage or rotation) and stretch of days; the
-- stretches of one type do not overlap: a period that starts later ends the one before it.
with

periods as (
    select * from {{ ref('stg_learner_stage') }}
    where period_type in ('stage', 'rotation')
),

-- Of periods that start on one day the actual one counts before a planned one, then the newest.
ranked as (
    select
        *,
        coalesce(starts_on, {{ first_day() }}) as from_on,
        row_number() over (
            partition by learner_key, programme_id, period_type, starts_on
            order by is_planned asc, known_at desc, record_key desc
        ) as preference
    from periods
),

ordered as (
    select
        *,
        lead(from_on) over (
            partition by learner_key, programme_id, period_type
            order by from_on
        ) as next_from_on
    from ranked
    where preference = 1
),

spanned as (
    select
        ---------- ids
        learner_key,
        programme_id,
        site_id,
        period_id,
        record_key,
        ---------- text
        period_type,
        ---------- yes or no
        is_planned,
        ---------- days and instants
        from_on,
        least(
            coalesce(ends_on, {{ last_day() }}),
            coalesce({{ add_days('next_from_on', -1) }}, {{ last_day() }})
        ) as to_on,
        starts_on as stated_starts_on,
        ends_on as stated_ends_on
    from ordered
)

select * from spanned
