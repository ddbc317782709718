-- Grain: one row per learner, programme and unbroken stretch in which the programme's clock stood still:
-- leave, intercalation, or a clock that was stopped. Days that two records share count once.
with

leave as (
    select
        learner_key,
        programme_id,
        coalesce(starts_on, ends_on) as from_on,
        least(coalesce(ends_on, {{ as_of() }}), {{ as_of() }}) as to_on
    from {{ ref('stg_learner_stage') }}
    where
        period_type in ('leave', 'intercalation', 'clock_stop')
        and not is_planned
        and coalesce(starts_on, ends_on) <= {{ as_of() }}
),

marked as (
    select
        *,
        case
            when from_on <= {{ add_days('max(to_on) over (
                partition by learner_key, programme_id
                order by from_on, to_on
                rows between unbounded preceding and 1 preceding
            )', 1) }} then 0
            else 1
        end as starts_stretch
    from leave
),

numbered as (
    select
        *,
        sum(starts_stretch) over (
            partition by learner_key, programme_id
            order by from_on, to_on
            rows between unbounded preceding and current row
        ) as stretch
    from marked
),

merged as (
    select
        ---------- ids
        learner_key,
        programme_id,
        ---------- numbers
        {{ days_between('min(from_on)', 'max(to_on)') }} + 1 as n_days,
        ---------- days and instants
        min(from_on) as from_on,
        max(to_on) as to_on
    from numbered
    group by learner_key, programme_id, stretch
)

select * from merged
