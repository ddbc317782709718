-- What is this test? All new evidence on a competency is counted, once, in a cell of the default
-- rule set; none is lost between the fact and the status.
-- When is it important to resolve? Always: a learner's evidence would not count.
-- How to resolve? Look at int_cell_evidence__assigned for the data points listed; where a cell is listed
-- without one, at int_cells__weighed.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

-- Of kept tables, the rows that are tested. A build that was stopped forgets a learner in the scopes that it
-- reached and not in those after them: what is compared is taken by one scope on both sides.
evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        competency_id is not null
        and is_new_evidence
        and {{ is_by_another('fct_evidence') }}
        and occurred_on <= {{ as_of() }}
        and {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}
),

cells as (
    select * from {{ ref('int_cells__counted') }}
    where {{ is_tested('int_cells__fingerprinted', 'learner_key') }}
),

statuses as (
    select * from {{ ref('portfolio_competency_status') }}
    where is_default and {{ is_tested('int_cells__fingerprinted', 'learner_key') }}
),

listed as (
    select
        learner_key,
        competency_id,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from {{ ref('int_cells__counted') }}
    where {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}
),

counted as (
    select
        learner_key,
        competency_id,
        evidence_id,
        count(*) as n_cells
    from listed
    group by learner_key, competency_id, evidence_id
),

not_in_one_cell as (
    select
        evidence.evidence_id,
        evidence.learner_key,
        evidence.competency_id,
        coalesce(counted.n_cells, 0) as n_cells
    from evidence
    left join counted
        on
            evidence.learner_key = counted.learner_key
            and evidence.competency_id = counted.competency_id
            and evidence.evidence_id = counted.evidence_id
    where coalesce(counted.n_cells, 0) <> 1
),

-- No sum over an outer join of both sides: where there are no cells at all, DuckDB 2.0 takes it for 0.
not_in_its_status as (
    select
        cast(null as string) as evidence_id,
        cells.learner_key,
        cells.competency_id,
        0 as n_cells
    from cells
    left join statuses
        on
            cells.learner_key = statuses.learner_key
            and cells.programme_id = statuses.programme_id
            and cells.stage_id = statuses.stage_id
            and cells.competency_id = statuses.competency_id
    where statuses.learner_key is null or cells.evidence_ids <> statuses.evidence_ids
),

in_no_cell as (
    select
        cast(null as string) as evidence_id,
        statuses.learner_key,
        statuses.competency_id,
        0 as n_cells
    from statuses
    left join cells
        on
            statuses.learner_key = cells.learner_key
            and statuses.programme_id = cells.programme_id
            and statuses.stage_id = cells.stage_id
            and statuses.competency_id = cells.competency_id
    where cells.learner_key is null and {{ list_size('statuses.evidence_ids') }} > 0
),

in_several_statuses as (
    select
        cast(null as string) as evidence_id,
        learner_key,
        competency_id,
        count(*) as n_cells
    from statuses
    group by learner_key, programme_id, stage_id, competency_id
    having count(*) > 1
)

select * from not_in_one_cell
union all
select * from not_in_its_status
union all
select * from in_several_statuses
union all
select * from in_no_cell
