-- What is this test? No status above not enough evidence rests on fewer data points, assessors or
-- methods than the rule set in force demands; read from the rule set itself, not from the model.
-- When is it important to resolve? Always: a committee would judge on too little.
-- How to resolve? Look at int_cells__judged for the cells listed, and at what their rule set says.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

status as (
    select * from {{ ref('portfolio_competency_status') }}
    where status <> 'not_enough_evidence'
),

demands as (
    select * from {{ ref('int_rules__chosen') }}
    where
        threshold_name = 'min'
        and rule_id in ('data_points', 'assessors', 'methods')
),

own_demands as (
    select distinct
        rule_set_id,
        rule_id,
        stage_id
    from demands
    where stage_id is not null
)

select
    status.learner_key,
    status.competency_id,
    status.rule_set_id,
    demands.rule_id
from status
inner join demands
    on
        status.rule_set_id = demands.rule_set_id
        and (demands.stage_id is null or status.stage_id = demands.stage_id)
left join own_demands
    on
        demands.stage_id is null
        and demands.rule_set_id = own_demands.rule_set_id
        and demands.rule_id = own_demands.rule_id
        and status.stage_id = own_demands.stage_id
where
    own_demands.rule_id is null
    and demands.threshold_value > case demands.rule_id
        when 'data_points' then status.n_data_points
        when 'assessors' then status.n_assessors
        when 'methods' then status.n_methods
    end
