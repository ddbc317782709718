-- Grain: one row per learner with evidence or dated periods: a name for all that their comments are
-- picked by, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('narratives') }}") }}

with

portfolio as (
    select * from {{ ref('int_portfolio__fingerprinted') }}
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'narratives'
),

shared as (
    select {{ content_hash({'rules': 'rules'}) }} as content
),

fingerprinted as (
    select
        portfolio.learner_key,
        {{ hash_text("portfolio.fingerprint || ' ' || shared.content") }} as fingerprint
    from portfolio
    cross join shared
),

compared as (
    {{ compared_with_kept('narratives', 'fingerprinted') }}
)

select * from compared
