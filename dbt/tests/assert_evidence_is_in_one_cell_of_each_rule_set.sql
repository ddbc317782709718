-- What is this test? All new evidence on a competency is counted, once, in a cell of the default
-- rule set; none is lost between the fact and the status.
-- When is it important to resolve? Always: a learner's evidence would not count.
-- How to resolve? Look at int_cell_evidence__assigned for the data points listed; where a cell is listed
-- without one, at int_cells__weighed.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

-- Of kept tables, the rows that are tested; statuses are made anew each time, so all of them are held
-- against the lists of kept cells.
evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        competency_id is not null
        and is_new_evidence
        and occurred_on <= {{ as_of() }}
        and {{ is_tested('int_portfolio__fingerprinted', 'learner_key') }}
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

statuses as (
    select * from {{ ref('portfolio_competency_status') }}
    where is_default
),

listed as (
    select
        learner_key,
        competency_id,
        {{ unnest_list('evidence_ids') }} as evidence_id
    from cells
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

paired as (
    select
        coalesce(cells.learner_key, statuses.learner_key) as learner_key,
        coalesce(cells.programme_id, statuses.programme_id) as programme_id,
        coalesce(cells.stage_id, statuses.stage_id) as stage_id,
        coalesce(cells.competency_id, statuses.competency_id) as competency_id,
        case
            when coalesce(cells.evidence_ids, {{ empty_list() }}) = statuses.evidence_ids then 1 else 0
        end as is_same
    from cells
    full outer join statuses
        on
            cells.learner_key = statuses.learner_key
            and cells.programme_id = statuses.programme_id
            and cells.stage_id = statuses.stage_id
            and cells.competency_id = statuses.competency_id
),

not_in_one_status as (
    select
        cast(null as {{ text_type() }}) as evidence_id,
        learner_key,
        competency_id,
        sum(is_same) as n_cells
    from paired
    group by learner_key, programme_id, stage_id, competency_id
    having count(*) <> 1 or sum(is_same) <> 1
)

select * from not_in_one_cell
union all
select * from not_in_one_status
