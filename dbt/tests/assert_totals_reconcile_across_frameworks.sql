-- What is this test? A learner's data points add up to the same number in every framework that anything of
-- the programme maps to as in the framework that they name.
-- When is it important to resolve? Before publication: a competency would be told too well or too ill.
-- How to resolve? Look at bridge_competency: the shares of a competency must add up to one. What no mapping
-- leads on is told as unmapped.
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
        is_own_framework,
        sum(data_points_shared) as n
    from {{ ref('portfolio_framework_total') }}
    group by
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        told_framework_id,
        told_framework_version,
        is_own_framework
),

named as (
    select * from totals
    where is_own_framework
),

told as (
    select * from totals
    where not is_own_framework
),

mapped_to as (
    select distinct
        programme_id,
        told_framework_id,
        told_framework_version
    from told
)

select
    named.learner_key,
    named.programme_id,
    named.framework_id,
    named.framework_version,
    mapped_to.told_framework_id,
    mapped_to.told_framework_version,
    named.n as n_named,
    told.n as n_told
from named
inner join mapped_to
    on
        named.programme_id = mapped_to.programme_id
        and (
            named.framework_id <> mapped_to.told_framework_id
            or named.framework_version <> mapped_to.told_framework_version
        )
left join told
    on
        {{ same('named', 'told', ['learner_key', 'programme_id', 'framework_id', 'framework_version']) }}
        and {{ same('mapped_to', 'told', ['told_framework_id', 'told_framework_version']) }}
where named.n is distinct from told.n
