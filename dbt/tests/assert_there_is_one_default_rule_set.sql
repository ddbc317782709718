-- What is this test? Of the rule sets that judge a cell exactly one is the default.
-- When is it important to resolve? Always: the agenda and the page would show no status, or two.
-- How to resolve? Say `is_default: true` in one rule set that has the rule data_points.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

counted as (
    select count(distinct case when is_default then rule_set_id end) as n_defaults
    from {{ ref('int_sufficiency_rules__pivoted') }}
)

select *
from counted
where n_defaults <> 1
