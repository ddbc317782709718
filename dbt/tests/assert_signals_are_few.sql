-- What is this test? No learner has more signals, of one rule or in all, than the rule set allows.
-- When is it important to resolve? Before the pack is read: a list that is not read steers nothing.
-- How to resolve? Look at int_signals__chosen, which ranks and cuts.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

with

signals as (
    select * from {{ ref('portfolio_signal') }}
),

limits as (
    select
        rule_id,
        threshold_value
    from {{ ref('int_rules__chosen') }}
    where
        rule_set_id = 'signals'
        and threshold_name = 'max_per_learner'
        and stage_id is null
),

counted as (
    select
        learner_key,
        rule_id,
        count(*) as n
    from signals
    group by learner_key, rule_id

    union all

    select
        learner_key,
        'all' as rule_id,
        count(*) as n
    from signals
    group by learner_key
)

select counted.*
from counted
inner join limits on counted.rule_id = limits.rule_id
where counted.n > limits.threshold_value
