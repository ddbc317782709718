-- Grain: one row per learner with evidence, dated periods or something that a plan asks of them: a name for
-- all that their statuses are made from, and whether it is another than that of the rows that stand. The
-- day of judgement counts by what lies in the windows, and by the stages that are over.
{{ config(materialized='table', post_hook="{{ forget_moved('cells') }}") }}

with

portfolio as (
    select * from {{ ref('int_portfolio__fingerprinted') }}
),

cells as (
    select {{ all_but('required', ['judged_on']) }}
    from {{ ref('int_cells__required') }} as required
),

windowed as (
    select * from {{ ref('int_cells__windowed') }}
),

compared as (
    select * from {{ ref('int_assurance__compared') }}
    where competency_id is not null
),

own as (
    {{ content_by_learner(['cells', 'windowed', 'compared']) }}
),

build as (
    select * from {{ ref('stg_build_input') }}
),

-- What rule sets demand; the code is here too, for learners of whom there is no evidence.
shared as (
    select
        build.code_version || ' ' || {{ engine_version() }} || ' '
        || {{ content_hash({
            'components': ref('int_rating_components__chosen'),
            'rules': ref('int_sufficiency_rules__staged'),
        }) }} as content
    from build
),

learners as (
    select learner_key from portfolio
    union
    select learner_key from own
),

fingerprinted as (
    select
        learners.learner_key,
        {{ hash_text(
            "coalesce(portfolio.fingerprint, '') || ' ' || shared.content"
            " || ' ' || coalesce(own.content, '')"
        ) }} as fingerprint
    from learners
    cross join shared
    left join portfolio on learners.learner_key = portfolio.learner_key
    left join own on learners.learner_key = own.learner_key
),

compared_with_kept as (
    {{ compared_with_kept('cells', 'fingerprinted') }}
)

select * from compared_with_kept
