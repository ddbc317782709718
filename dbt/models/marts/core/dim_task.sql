-- Grain: one row per task, as it stands on the as-of day.
select
    ---------- ids
    task_key,
    programme_id,
    site_id,
    task_id,
    parent_task_id,
    module_id,
    instrument_id,
    record_key,
    ai_policy_scale,
    ai_policy_scale_version,
    ---------- text
    title,
    modality,
    assurance_level,
    cut_score_method,
    scoring_rule,
    answer_key,
    ---------- numbers
    weight,
    max_score,
    cut_score,
    points_right,
    points_wrong,
    points_dont_know,
    n_options,
    ai_policy_level,
    ---------- yes or no
    requires_ai_declaration,
    ---------- lists
    competency_ids,
    ---------- days and instants
    module_starts_on,
    opens_on,
    due_on,
    policy_from_on,
    policy_to_on,
    ---------- lineage
    source_id,
    delivery_id,
    known_at
from {{ ref('int_tasks__current') }}
