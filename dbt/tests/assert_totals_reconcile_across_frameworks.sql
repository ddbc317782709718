-- What is this test? A learner's data points add up to the same number in every framework that they
-- are told in.
-- When is it important to resolve? Before publication: a competency would be told too well or too ill.
-- How to resolve? Look at bridge_competency: the shares of a competency must add up to one.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

totals as (
    select
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        told_framework_id,
        told_framework_version,
        sum(data_points_shared) as n
    from {{ ref('portfolio_framework_total') }}
    group by
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        told_framework_id,
        told_framework_version
)

select
    learner_key,
    programme_id,
    framework_id,
    framework_version,
    min(n) as fewest,
    max(n) as most
from totals
group by learner_key, programme_id, framework_id, framework_version
having min(n) <> max(n)
