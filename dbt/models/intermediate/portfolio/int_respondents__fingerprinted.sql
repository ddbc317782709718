-- Grain: one row per learner with evidence or dated periods: a name for all that the answers of their
-- respondents are made from, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('respondents') }}") }}

with

portfolio as (
    select * from {{ ref('int_portfolio__fingerprinted') }}
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'msf' and rule_id = 'respondents'
),

shared as (
    select
        {{ content_hash({
            'roles': ref('stg_assessor_role'),
            'rules': 'rules',
        }) }} as content
),

fingerprinted as (
    select
        portfolio.learner_key,
        {{ hash_text("portfolio.fingerprint || ' ' || shared.content") }} as fingerprint
    from portfolio
    cross join shared
),

compared as (
    {{ compared_with_kept('respondents', 'fingerprinted') }}
)

select * from compared
