-- Grain: one row per learner and task where work was handed in, the policy of that day asks for a
-- declaration, and no record of one was there by the day of judgement.
with

work as (
    select * from {{ ref('int_work__handed_in') }}
),

policies as (
    select * from {{ ref('int_ai_policies__dated') }}
),

declarations as (
    select * from {{ ref('stg_ai_use_declaration') }}
    where {{ has_come('declared_on') }}
),

handed_in as (
    select
        learner_key,
        programme_id,
        task_id,
        min(site_id) as site_id,
        min(record_key) as record_key,
        min(handed_in_on) as handed_in_on,
        min(known_at) as known_at
    from work
    group by learner_key, programme_id, task_id
),

expected as (
    select
        ---------- ids
        handed_in.learner_key,
        handed_in.programme_id,
        handed_in.site_id,
        handed_in.task_id,
        handed_in.record_key as handed_in_record_key,
        ---------- days and instants
        handed_in.handed_in_on,
        handed_in.known_at
    from handed_in
    inner join policies
        on
            handed_in.programme_id = policies.programme_id
            and handed_in.task_id = policies.task_id
            and handed_in.handed_in_on between policies.in_force_from_on and policies.in_force_to_on
    left join declarations
        on
            handed_in.learner_key = declarations.learner_key
            and handed_in.programme_id = declarations.programme_id
            and handed_in.task_id = declarations.task_id
    where policies.requires_declaration and declarations.record_key is null
)

select * from expected
