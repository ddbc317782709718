-- Grain: one row per learner, programme and stretch of days that count less than in full: days on which
-- the programme's clock stood still are lost, days of part-time training as far as they were no
-- whole time. Leave goes before part-time, and a part-time stretch that starts later ends the one before.
with

leave as (
    select * from {{ ref('int_learner_leave__merged') }}
),

part_time as (
    select
        learner_key,
        programme_id,
        full_time_share,
        coalesce(starts_on, {{ first_day() }}) as from_on,
        least(coalesce(ends_on, {{ as_of() }}), {{ as_of() }}) as to_on,
        known_at,
        record_key
    from {{ ref('stg_learner_stage') }}
    where
        period_type = 'part_time'
        and not is_planned
        and coalesce(starts_on, {{ first_day() }}) <= {{ as_of() }}
        and {{ rule_threshold('clocks', 'part_time', 'in_proportion') }} = 1
),

turning_days as (
    select
        learner_key,
        programme_id,
        from_on
    from leave

    union

    select
        learner_key,
        programme_id,
        {{ add_days('to_on', 1) }} as from_on
    from leave

    union

    select
        learner_key,
        programme_id,
        from_on
    from part_time

    union

    select
        learner_key,
        programme_id,
        {{ add_days('to_on', 1) }} as from_on
    from part_time
),

stretches as (
    select
        *,
        {{ add_days(
            'lead(from_on) over (partition by learner_key, programme_id order by from_on)', -1
        ) }} as to_on
    from turning_days
),

ranked as (
    select
        stretches.learner_key,
        stretches.programme_id,
        stretches.from_on,
        stretches.to_on,
        case when leave.learner_key is null then 1 - part_time.full_time_share else 1 end
            as lost_share,
        row_number() over (
            partition by stretches.learner_key, stretches.programme_id, stretches.from_on
            order by part_time.from_on desc, part_time.known_at desc, part_time.record_key desc
        ) as preference
    from stretches
    left join leave
        on
            stretches.learner_key = leave.learner_key
            and stretches.programme_id = leave.programme_id
            and stretches.from_on between leave.from_on and leave.to_on
    left join part_time
        on
            stretches.learner_key = part_time.learner_key
            and stretches.programme_id = part_time.programme_id
            and stretches.from_on between part_time.from_on and part_time.to_on
),

dated as (
    select
        ---------- ids
        learner_key,
        programme_id,
        ---------- numbers
        cast(lost_share as decimal(5, 4)) as lost_share,
        ---------- days and instants
        from_on,
        to_on
    from ranked
    where preference = 1 and lost_share > 0
)

select * from dated
