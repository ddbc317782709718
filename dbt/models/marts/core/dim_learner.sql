-- Grain: one row per learner, as of the as-of day.
with

learners as (
    select * from {{ ref('int_learners__unioned') }}
),

history as (
    select *
    from {{ ref('int_learner_history__spanned') }}
    where {{ as_of() }} between from_on and to_on
),

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
    where coalesce(starts_on, {{ first_day() }}) <= {{ as_of() }}
),

leave as (
    select
        learner_key,
        programme_id,
        sum(n_days) as n_days
    from {{ ref('int_learner_leave__merged') }}
    group by learner_key, programme_id
),

latest_enrolments as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id
            order by starts_on desc nulls last, period_id asc
        ) as recency
    from enrolments
),

joined as (
    select
        ---------- ids
        learners.learner_key,
        learners.programme_id,
        learners.site_id,
        learners.cohort_id,
        learners.mentor_key,
        stages.period_id as stage_id,
        case
            when stages.period_id is not null
                then {{ key(
                    'learner_stage_key',
                    learner_key='learners.learner_key',
                    programme_id='learners.programme_id',
                    stage_id='stages.period_id'
                ) }}
        end as learner_stage_key,
        rotations.period_id as rotation_id,
        ---------- text
        case
            when
                latest_enrolments.status is null
                and latest_enrolments.ends_on < {{ as_of() }}
                then 'ended'
            when latest_enrolments.period_id is not null
                then coalesce(latest_enrolments.status, 'active')
        end as enrolment_status,
        ---------- numbers
        cast(coalesce(leave.n_days, 0) as bigint) as n_days_leave,
        ---------- yes or no
        learners.is_on_roster,
        ---------- days and instants
        learners.entered_on,
        stages.stated_starts_on as stage_starts_on,
        stages.stated_ends_on as stage_ends_on,
        rotations.stated_starts_on as rotation_starts_on,
        rotations.stated_ends_on as rotation_ends_on,
        ---------- lineage
        learners.source_id,
        learners.delivery_id,
        learners.known_at
    from learners
    left join history as stages
        on
            learners.learner_key = stages.learner_key
            and learners.programme_id = stages.programme_id
            and stages.period_type = 'stage'
    left join history as rotations
        on
            learners.learner_key = rotations.learner_key
            and learners.programme_id = rotations.programme_id
            and rotations.period_type = 'rotation'
    left join latest_enrolments
        on
            learners.learner_key = latest_enrolments.learner_key
            and learners.programme_id = latest_enrolments.programme_id
            and latest_enrolments.recency = 1
    left join leave
        on
            learners.learner_key = leave.learner_key
            and learners.programme_id = leave.programme_id
)

select * from joined
