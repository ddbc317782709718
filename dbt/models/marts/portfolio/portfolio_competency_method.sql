-- Grain: one row per learner, stage, competency and method family with evidence.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

cells as (
    select * from {{ ref('int_cells__required') }}
),

counted as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        coalesce(method_family, 'other') as method_family,
        count(case when is_data_point then 1 end) as n_data_points,
        {{ measure_n_assessors('assessor_key', 'examiner_keys') }} as n_assessors,
        count(distinct assessor_role) as n_roles,
        greatest(count(distinct setting), count(distinct case_type)) as n_contexts,
        count(case when has_narrative then 1 end) as n_narratives,
        count(case when is_flagged then 1 end) as n_flags,
        count(is_at_or_above_target) as n_judged,
        count(case when is_at_or_above_target then 1 end) as n_at_target,
        min(occurred_on) as first_on,
        max(occurred_on) as latest_on,
        {{ list_of_few('instrument_id') }} as instrument_ids,
        {{ list_of_few('evidence_id') }} as evidence_ids
    from evidence
    group by learner_key, programme_id, stage_id, competency_id, coalesce(method_family, 'other')
),

final as (
    select
        ---------- ids
        counted.learner_key,
        counted.programme_id,
        counted.stage_id,
        counted.competency_id,
        counted.method_family,
        ---------- text
        cells.competency_title,
        ---------- numbers
        counted.n_data_points,
        counted.n_assessors,
        counted.n_roles,
        counted.n_contexts,
        counted.n_narratives,
        counted.n_flags,
        counted.n_judged,
        counted.n_at_target,
        cells.sort_order,
        ---------- yes or no
        cells.is_current_stage,
        ---------- lists
        counted.instrument_ids,
        counted.evidence_ids,
        ---------- days
        counted.first_on,
        counted.latest_on
    from counted
    inner join cells
        on
            counted.learner_key = cells.learner_key
            and counted.programme_id = cells.programme_id
            and counted.stage_id = cells.stage_id
            and counted.competency_id = cells.competency_id
)

select * from final
