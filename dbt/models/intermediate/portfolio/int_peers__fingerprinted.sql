-- Grain: one row per learner with evidence or dated periods: a name for all that they are held against
-- peers by, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('peers') }}") }}

{%- set calibrated = ['level_norm', 'score_norm', 'spread', 'target_effect'] %}
{%- set shared = {'rules': 'rules'} %}

with

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'signals' and rule_id = 'peers'
),

{% for name in calibrated -%}
{%- do shared.update({name: name}) -%}
{{ name }} as (
    select * from {{ ref('stg_calibration_' ~ name) }}
),

{% endfor -%}
-- Another calibration moves everybody.
fingerprinted as (
    {{ portfolio_with(shared) }}
),

compared as (
    {{ compared_with_kept('peers', 'fingerprinted') }}
)

select * from compared
