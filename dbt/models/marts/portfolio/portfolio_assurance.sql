-- Grain: one row per learner, competency and present stage with evidence: how much of it was
-- observed, secured or open, and what open and secured work reached where both have enough judged
-- data points.
with

cells as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage and n_data_points > 0
),

compared as (
    select * from {{ ref('int_assurance__compared') }}
    where competency_id is not null
),

final as (
    select
        ---------- ids
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        ---------- text
        cells.competency_title,
        ---------- numbers
        cells.n_data_points,
        cells.n_observed,
        cells.n_secured,
        cells.n_open,
        cells.n_data_points - cells.n_observed - cells.n_secured - cells.n_open as n_unknown,
        {{ measure_share('cells.n_observed', 'cells.n_data_points') }} as observed_share,
        {{ measure_share('cells.n_secured', 'cells.n_data_points') }} as secured_share,
        {{ measure_share('cells.n_open', 'cells.n_data_points') }} as open_share,
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
        cells.latest_on
    from cells
    left join compared
        on
            cells.learner_key = compared.learner_key
            and cells.programme_id = compared.programme_id
            and cells.competency_id = compared.competency_id
)

select * from final
