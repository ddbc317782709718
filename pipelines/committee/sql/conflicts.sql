-- One row a conflict that members have to weigh, as the agenda counts them: the present stage and the
-- newest before the rest, and statuses that hang on who the assessors were last.
select
    learner_key,
    programme_id,
    conflict_kind,
    competency_id,
    sentence,
    evidence_ids
from portfolio_conflict
order by
    learner_key,
    conflict_kind = 'stringency',
    is_current_stage desc,
    latest_on desc,
    conflict_id
