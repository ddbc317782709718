-- What is this test? Every competency that the plan asks of a learner's present stage has a cell in
-- every rule set, also without evidence.
-- When is it important to resolve? Always: what is missing would be missing in silence.
-- How to resolve? Look at int_cells__required for the learner and competency listed.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current
),

plan as (
    select * from {{ ref('int_plan_requirements__chosen') }}
),

rule_sets as (
    select distinct
        rule_set_id,
        programme_id
    from {{ ref('int_sufficiency_rules__pivoted') }}
),

status as (
    select * from {{ ref('portfolio_competency_status') }}
)

select
    stages.learner_key,
    plan.competency_id,
    rule_sets.rule_set_id
from stages
inner join plan
    on
        stages.programme_id = plan.programme_id
        and stages.plan_site_id is not distinct from plan.site_id
        and stages.plan_from_on = plan.from_on
        and stages.stage_id = plan.stage_id
inner join rule_sets
    on rule_sets.programme_id is null or stages.programme_id = rule_sets.programme_id
left join status
    on
        stages.learner_key = status.learner_key
        and stages.programme_id = status.programme_id
        and stages.stage_id = status.stage_id
        and plan.competency_id = status.competency_id
        and rule_sets.rule_set_id = status.rule_set_id
where status.learner_key is null
