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

hashed as (
    select
        entry.learner_key,
        {{ row_hash('entry') }} as row_hash
    from events as entry
),

events_of_learner as (
    select
        learner_key,
        {{ set_hash('row_hash') }} as content
    from hashed
    group by learner_key
),

build as (
    select * from {{ ref('stg_build_input') }}
),

-- Titles; the code is here too, for learners who have other events alone.
shared as (
    select
        build.code_version || ' ' || {{ engine_version() }} || ' '
        || {{ content_hash({
            'competencies': ref('int_competencies__named'),
            'instruments': ref('dim_instrument'),
            'tasks': ref('dim_task'),
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
        ) }} as fingerprint
    from learners
    cross join shared
    left join portfolio on learners.learner_key = portfolio.learner_key
    left join events_of_learner on learners.learner_key = events_of_learner.learner_key
),

compared as (
    {{ compared_with_kept('timeline', 'fingerprinted') }}
)

select * from compared
