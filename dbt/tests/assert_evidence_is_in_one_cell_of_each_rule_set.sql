-- What is this test? All new evidence on a competency is counted, once, in a cell of the default
-- rule set; none is lost between the fact and the status.
-- When is it important to resolve? Always: a learner's evidence would not count.
-- How to resolve? Look at int_cell_evidence__assigned for the data points listed.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        competency_id is not null
        and is_new_evidence
        and occurred_on <= {{ as_of() }}
),

counted as (
    select
        learner_key,
        competency_id,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('portfolio_competency_status') }}
    where is_default
),

cells as (
    select
        learner_key,
        competency_id,
        evidence_id,
        count(*) as n_cells
    from counted
    group by learner_key, competency_id, evidence_id
)

select
    evidence.evidence_id,
    evidence.learner_key,
    evidence.competency_id,
    coalesce(cells.n_cells, 0) as n_cells
from evidence
left join cells
    on
        evidence.learner_key = cells.learner_key
        and evidence.competency_id = cells.competency_id
        and evidence.evidence_id = cells.evidence_id
where coalesce(cells.n_cells, 0) <> 1
