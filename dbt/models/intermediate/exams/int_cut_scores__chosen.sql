-- Grain: one row per sitting, and per station of a sitting, with a cut-score on record: the newest one.
with

cut_scores as (
    select * from {{ ref('stg_cut_score') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by programme_id, task_id, sitting_id, station_id
            order by known_at desc, cut_score_id desc
        ) as newest_first
    from cut_scores
)

select
    ---------- ids
    cut_score_id,
    programme_id,
    task_id,
    sitting_id,
    station_id,
    ---------- text
    method,
    parameters,
    panel,
    sensitivity,
    decided_by,
    source,
    ---------- numbers
    cut_score,
    max_score,
    standard_error,
    n_judges,
    n_examinees,
    rmse,
    r_squared,
    slope,
    ---------- days and instants
    known_at
from ranked
where newest_first = 1
