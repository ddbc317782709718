-- One row a competency of the learner's present stage, judged by the default rule set.
select
    learner_key,
    stage_id,
    competency_id,
    competency_title,
    status,
    status_reason,
    is_required,
    rule_set_id,
    rule_version,
    n_data_points,
    n_assessors,
    n_methods,
    n_contexts,
    n_recent,
    n_flags,
    n_rated,
    n_at_target,
    share_at_target,
    share_low,
    share_high,
    required_data_points,
    required_assessors,
    required_methods,
    required_contexts,
    required_recent,
    target_scale_id,
    target_level,
    shortfalls,
    evidence_ids
from portfolio_competency_status
where is_default and is_current_stage
order by learner_key, sort_order, competency_id
