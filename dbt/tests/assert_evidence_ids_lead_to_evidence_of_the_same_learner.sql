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

cells as (
    select * from {{ ref('int_cells__counted') }}
),

-- Statuses and assurances have the list of their cell. Where it is the same list, the cell stands for
-- them.
of_cells as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        evidence_ids
    from {{ ref('portfolio_competency_status') }}
    where {{ is_tested('int_cells__fingerprinted', 'learner_key') }}

    union all

    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        evidence_ids
    from {{ ref('portfolio_assurance') }}
    where {{ is_tested('int_cells__fingerprinted', 'learner_key') }}
),

other_than_cells as (
    select
        of_cells.learner_key,
        of_cells.evidence_ids
    from of_cells
    left join cells
        on
            of_cells.learner_key = cells.learner_key
            and of_cells.programme_id = cells.programme_id
            and of_cells.stage_id = cells.stage_id
            and of_cells.competency_id = cells.competency_id
    where cells.learner_key is null or of_cells.evidence_ids is distinct from cells.evidence_ids
),

named as (
    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from cells
    where {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from other_than_cells

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_competency_method') }}
    where {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}

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
    where {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_narrative_pick') }}
    where {{ is_tested('int_narratives__fingerprinted', 'learner_key') }}

    union all

    select
        learner_key,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_signal') }}
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
