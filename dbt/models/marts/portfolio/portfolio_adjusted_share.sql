-- Grain: one row per learner, stage and competency with a share at or above target: the share as it
-- was given, beside what it would be with assessors of typical stringency, and whether the status
-- would be another one.
select
    learner_key,
    programme_id,
    stage_id,
    competency_id,
    rule_set_id,
    competency_title,
    rule_version,
    status,
    adjusted_status,
    sentence,
    label,
    n_rated,
    n_rated_by_known,
    share_at_target,
    share_low,
    share_high,
    adjusted_share,
    adjusted_low,
    adjusted_high,
    adjustment,
    is_sensitive
from {{ ref('int_shares__adjusted') }}
