-- Grain: one row per learner, kind of conflict, stage and competency (over all of them where there
-- is none).
select
    ---------- ids
    conflict_id,
    learner_key,
    programme_id,
    stage_id,
    competency_id,
    conflict_kind,
    ---------- text
    competency_title,
    sentence,
    rule_set_id,
    rule_version,
    ---------- numbers
    n_data_points,
    difference,
    difference_low,
    difference_high,
    ---------- yes or no
    is_current_stage,
    ---------- lists
    evidence_ids,
    ---------- days
    latest_on
from {{ ref('int_conflicts__listed') }}
