-- Grain: one row per sitting, and per station of a sitting, with a cut-score on record: how it was set,
-- by whom, how far it can be trusted, and what it would be under other assumptions.
select
    ---------- ids
    cut_score_id,
    programme_id,
    task_id,
    sitting_id,
    coalesce(station_id, '') as station_id,
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
from {{ ref('int_cut_scores__chosen') }}
