-- Grain: one row per learner with evidence, dated periods or other events: a name for all that their
-- timeline is made from, and whether it is another than that of the rows that stand. The day of
-- judgement counts by how many events are past.
{{ config(materialized='table', post_hook="{{ forget_moved('timeline') }}") }}

with

events as (
    select
        *,
        coalesce(event_on > {{ as_of() }}, false) as is_after_as_of
    from {{ ref('int_timeline_events__unioned') }}
    where learner_key is not null
),

events_of_learner as (
    {{ content_by_learner(['events']) }}
),

tasks as (
    select
        task_key,
        title
    from {{ ref('dim_task') }}
),

titles as (
    select
        entry.task_key,
        {{ row_hash('entry') }} as row_hash
    from tasks as entry
),

-- Of the tasks that data points name; other events bring theirs along.
titles_of_learner as (
    select
        evidence.learner_key,
        {{ set_hash('titles.row_hash') }} as content
    from {{ ref('fct_evidence') }} as evidence
    inner join titles on evidence.task_key = titles.task_key
    group by evidence.learner_key
),

-- Other titles are shared.
fingerprinted as (
    {{ portfolio_and_own(
        {'competencies': ref('int_competencies__named'), 'instruments': ref('dim_instrument')},
        ['events_of_learner', 'titles_of_learner']
    ) }}
),

compared as (
    {{ compared_with_kept('timeline', 'fingerprinted') }}
)

select * from compared
