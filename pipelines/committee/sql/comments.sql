-- One row a comment, however many competencies its form rated; picked ones first, then the newest.
select
    comments.learner_key,
    comments.programme_id,
    comments.evidence_id,
    comments.competency_id,
    comments.instrument_id,
    comments.scale_id,
    comments.assessor_key,
    comments.assessor_role,
    comments.setting,
    comments.level,
    comments.target_level,
    comments.is_flagged,
    picks.comment_key is not null as is_picked,
    coalesce(picks.pick_reasons, []) as pick_reasons,
    comments.narrative_strengths,
    comments.narrative_improvements,
    comments.narrative_other,
    comments.evidence_ids,
    comments.competency_ids,
    picks.rule_set_id,
    picks.rule_version,
    comments.occurred_on
from portfolio_narrative as comments
left join portfolio_narrative_pick as picks
    on
        comments.learner_key = picks.learner_key
        and comments.comment_key = picks.comment_key
order by comments.learner_key, not is_picked, comments.occurred_at desc, comments.evidence_id desc
