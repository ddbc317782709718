-- One row a conflict that members have to weigh, the present stage first, the newest first.
select
    learner_key,
    conflict_kind,
    competency_id,
    sentence,
    evidence_ids
from portfolio_conflict
order by learner_key, is_current_stage desc, latest_on desc, conflict_id
