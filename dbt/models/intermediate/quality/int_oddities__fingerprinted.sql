-- Grain: one row per learner with evidence or dated periods: a name for all that the oddities of their
-- data points are counted from, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('oddities') }}") }}

with

evidence as (
    select * from {{ ref('int_evidence__fingerprinted') }}
),

noted as (
    select distinct
        learner_key,
        record_key,
        code
    from {{ ref('int_notes__active') }}
    where learner_key is not null
),

noted_of_learner as (
    {{ content_by_learner(['noted']) }}
),

fingerprinted as (
    select
        evidence.learner_key,
        {{ hash_text("evidence.fingerprint || ' ' || coalesce(noted_of_learner.content, '')") }}
            as fingerprint
    from evidence
    left join noted_of_learner on evidence.learner_key = noted_of_learner.learner_key
),

compared as (
    {{ compared_with_kept('oddities', 'fingerprinted') }}
)

select * from compared
