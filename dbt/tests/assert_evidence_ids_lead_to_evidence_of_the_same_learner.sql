-- What is this test? Every evidence id behind a status, a conflict, a signal or a comment leads to a
-- data point or a declaration of the same learner.
-- When is it important to resolve? Always: a number that cannot be followed cannot be defended.
-- How to resolve? Look at the model that lists the id; it lost its learner on a join.
{{ config(severity='error', meta={'consequence': 'evidence'}) }}

with

evidence as (
    select
        learner_key,
        evidence_id
    from {{ ref('fct_evidence') }}

    union all

    select
        learner_key,
        {{ evidence_id() }} as evidence_id
    from {{ ref('fct_ai_declaration') }}
    where record_key is not null
),

named as (
    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_competency_status') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_competency_method') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_conflict') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_narrative') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_signal') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_assurance') }}
)

select distinct named.*
from named
where
    not exists (
        select 1 from evidence
        where
            evidence.learner_key = named.learner_key
            and evidence.evidence_id = named.evidence_id
    )
