-- One row a comment, however many competencies its form rated; picked ones first, then the newest.
select
    learner_key,
    evidence_id,
    competency_id,
    instrument_id,
    scale_id,
    assessor_key,
    assessor_role,
    setting,
    level,
    target_level,
    is_flagged,
    is_picked,
    pick_reasons,
    narrative_strengths,
    narrative_improvements,
    narrative_other,
    evidence_ids,
    competency_ids,
    rule_set_id,
    rule_version,
    occurred_on
from portfolio_narrative
order by learner_key, not is_picked, occurred_at desc, evidence_id desc
