-- Grain: one row per learner with evidence or dated periods: a name for all that the answers of their
-- respondents are made from, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('respondents') }}") }}

with

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'msf' and rule_id = 'respondents'
),

fingerprinted as (
    {{ portfolio_with({'roles': ref('stg_assessor_role'), 'rules': 'rules'}) }}
),

compared as (
    {{ compared_with_kept('respondents', 'fingerprinted') }}
)

select * from compared
