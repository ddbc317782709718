-- Grain: one row per learner with evidence or dated periods: a name for all that their comments are
-- picked by, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('narratives') }}") }}

with

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'narratives'
),

fingerprinted as (
    {{ portfolio_with({'rules': 'rules'}) }}
),

compared as (
    {{ compared_with_kept('narratives', 'fingerprinted') }}
)

select * from compared
