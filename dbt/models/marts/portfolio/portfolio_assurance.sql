-- Grain: one row per learner, competency and present stage with evidence: how much of it was
-- observed, secured or open, and what open and secured work reached where both have enough judged
-- data points.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_cells__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_cells__fingerprinted') }}

with

judged as (
    select * from {{ ref('int_cells__judged') }}
    where
        {{ is_moved('int_cells__fingerprinted', 'learner_key') }}
        and is_default
        and is_current_stage
        and n_data_points > 0
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

compared as (
    select * from {{ ref('int_assurance__compared') }}
    where competency_id is not null
),

final as (
    select
        ---------- ids
        judged.learner_key,
        judged.programme_id,
        judged.stage_id,
        judged.competency_id,
        ---------- text
        judged.competency_title,
        ---------- numbers
        judged.n_data_points,
        judged.n_observed,
        judged.n_secured,
        judged.n_open,
        judged.n_data_points - judged.n_observed - judged.n_secured - judged.n_open as n_unknown,
        {{ measure_share('judged.n_observed', 'judged.n_data_points') }} as observed_share,
        {{ measure_share('judged.n_secured', 'judged.n_data_points') }} as secured_share,
        {{ measure_share('judged.n_open', 'judged.n_data_points') }} as open_share,
        compared.n_open as n_open_judged,
        compared.n_secured as n_secured_judged,
        compared.open_share as open_at_target,
        compared.secured_share as secured_at_target,
        compared.difference,
        compared.difference_low,
        compared.difference_high,
        ---------- lists
        cells.evidence_ids,
        ---------- days
        judged.latest_on
    from judged
    inner join cells
        on {{ same('judged', 'cells', ['learner_key', 'programme_id', 'stage_id', 'competency_id']) }}
    left join compared
        on
            judged.learner_key = compared.learner_key
            and judged.programme_id = compared.programme_id
            and judged.competency_id = compared.competency_id
)

select * from final
