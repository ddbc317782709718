-- Grain: one row per learner with evidence or dated periods: a name for all that the answers of their
-- respondents are made from, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('respondents') }}") }}

with

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'msf' and rule_id = 'respondents'
),

-- When answers arrived is in no row of theirs.
arrivals as (
    select distinct
        answers.learner_key,
        answers.delivery_id,
        intake_records.known_at
    from {{ ref('int_answers__gathered') }} as answers
    inner join {{ ref('stg_intake_record') }} as intake_records
        on answers.delivery_id = intake_records.delivery_id
),

arrivals_of_learner as (
    {{ content_by_learner(['arrivals']) }}
),

fingerprinted as (
    {{ portfolio_and_own({'roles': ref('stg_assessor_role'), 'rules': 'rules'}, ['arrivals_of_learner']) }}
),

compared as (
    {{ compared_with_kept('respondents', 'fingerprinted') }}
)

select * from compared
