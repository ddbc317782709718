-- Grain: one row per learner with evidence, dated periods or other events: a name for all that their
-- timeline is made from, and whether it is another than that of the rows that stand. The day of
-- judgement counts by how many events are past.
{{ config(materialized='table', post_hook="{{ forget_moved('timeline') }}") }}

with

portfolio as (
    select * from {{ ref('int_portfolio__fingerprinted') }}
),

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

build as (
    select * from {{ ref('stg_build_input') }}
),

-- Other titles; the code is here too, for learners who have other events alone.
shared as (
    select
        build.code_version || ' ' || {{ engine_version() }} || ' '
        || {{ content_hash({
            'competencies': ref('int_competencies__named'),
            'instruments': ref('dim_instrument'),
        }) }} as content
    from build
),

learners as (
    select learner_key from portfolio
    union
    select learner_key from events_of_learner
),

fingerprinted as (
    select
        learners.learner_key,
        {{ hash_text(
            "coalesce(portfolio.fingerprint, '') || ' ' || shared.content"
            " || ' ' || coalesce(events_of_learner.content, '')"
            " || ' ' || coalesce(titles_of_learner.content, '')"
        ) }} as fingerprint
    from learners
    cross join shared
    left join portfolio on learners.learner_key = portfolio.learner_key
    left join events_of_learner on learners.learner_key = events_of_learner.learner_key
    left join titles_of_learner on learners.learner_key = titles_of_learner.learner_key
),

compared as (
    {{ compared_with_kept('timeline', 'fingerprinted') }}
)

select * from compared
