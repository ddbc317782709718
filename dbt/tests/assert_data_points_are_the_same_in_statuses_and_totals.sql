-- What is this test? A learner has as many data points on a competency in the totals of frameworks as in the
-- cells that statuses rest on.
-- When is it important to resolve? Before publication: two pages would tell two numbers of data points.
-- How to resolve? Compare what int_cell_evidence__assigned and portfolio_framework_total leave out: what is
-- carried over, what is still to come, and what learners say of themselves.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

totals as (
    select
        learner_key,
        programme_id,
        told_competency_id as competency_id,
        sum(n_data_points) as n
    from {{ ref('portfolio_framework_total') }}
    where is_own_framework and {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}
    group by learner_key, programme_id, told_competency_id
),

cells as (
    select
        learner_key,
        programme_id,
        competency_id,
        sum(n_data_points) as n
    from {{ ref('int_cells__counted') }}
    where {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}
    group by learner_key, programme_id, competency_id
)

select
    coalesce(totals.learner_key, cells.learner_key) as learner_key,
    coalesce(totals.programme_id, cells.programme_id) as programme_id,
    coalesce(totals.competency_id, cells.competency_id) as competency_id,
    totals.n as n_in_totals,
    cells.n as n_in_cells
from totals
full outer join cells
    on {{ same('totals', 'cells', ['learner_key', 'programme_id', 'competency_id']) }}
where totals.n is distinct from cells.n
