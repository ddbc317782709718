-- Grain: one row per learner, task and attempt where work was handed in, the policy of that day asks for a
-- declaration, and no record of one was there by the day of judgement. There are to be as many declarations as
-- attempts that ask for one: those with a declaration between the attempt before and themselves have theirs.
with

work as (
    select * from {{ ref('int_work__handed_in') }}
    where {{ has_come('handed_in_on') }}
),

policies as (
    select * from {{ ref('int_ai_policies__dated') }}
),

declarations as (
    select * from {{ ref('stg_ai_use_declaration') }}
    where amends_record_id is null and {{ has_come('declared_on') }}
),

attempts as (
    select
        learner_key,
        programme_id,
        task_id,
        attempt,
        min(site_id) as site_id,
        min(record_key) as record_key,
        min(handed_in_on) as handed_in_on,
        min(known_at) as known_at
    from work
    group by learner_key, programme_id, task_id, attempt
),

in_turn as (
    select
        *,
        lag(handed_in_on) over of_task as previous_on,
        lead(handed_in_on) over of_task as next_on
    from attempts
    window of_task as (partition by learner_key, programme_id, task_id order by attempt)
),

asked as (
    select in_turn.*
    from in_turn
    inner join policies
        on
            in_turn.programme_id = policies.programme_id
            and in_turn.task_id = policies.task_id
            and in_turn.handed_in_on between policies.in_force_from_on and policies.in_force_to_on
    where policies.requires_declaration
),

declared as (
    select
        asked.learner_key,
        asked.programme_id,
        asked.task_id,
        asked.attempt,
        count(*) as n_declared,
        count(case
            when
                declarations.declared_on > coalesce(asked.previous_on, {{ first_day() }})
                and (asked.next_on is null or declarations.declared_on <= asked.handed_in_on)
                then 1
        end) as n_of_attempt
    from asked
    inner join declarations
        on {{ same('asked', 'declarations', ['learner_key', 'programme_id', 'task_id']) }}
    group by asked.learner_key, asked.programme_id, asked.task_id, asked.attempt
),

ranked as (
    select
        asked.*,
        coalesce(declared.n_declared, 0) as n_declared,
        row_number() over (
            partition by asked.learner_key, asked.programme_id, asked.task_id
            order by case when declared.n_of_attempt > 0 then 0 else 1 end, asked.attempt
        ) as declared_first
    from asked
    left join declared
        on {{ same('asked', 'declared', ['learner_key', 'programme_id', 'task_id', 'attempt']) }}
),

expected as (
    select
        ---------- ids
        learner_key,
        programme_id,
        site_id,
        task_id,
        record_key as handed_in_record_key,
        ---------- numbers
        attempt,
        ---------- days and instants
        handed_in_on,
        known_at
    from ranked
    where declared_first > n_declared
)

select * from expected
