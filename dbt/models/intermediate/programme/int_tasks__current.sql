-- Grain: one row per task, as it stands on the as-of day.
with

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

standing as (
    select *
    from tasks
    where {{ as_of() }} between from_on and to_on
)

select * from standing
