-- One row a data point and competency, oldest first, with all that was written.
select
    evidence.learner_key,
    evidence.evidence_id,
    evidence.kind,
    evidence.competency_id,
    evidence.stage_id,
    evidence.instrument_id,
    evidence.task_id,
    task.title,
    evidence.sitting_id,
    evidence.attempt,
    evidence.result_status,
    evidence.scale_id,
    evidence.level,
    evidence.raw_label,
    evidence.target_level,
    evidence.is_at_or_above_target,
    evidence.score,
    evidence.max_score,
    evidence.assessor_key,
    evidence.assessor_role,
    evidence.setting,
    evidence.case_type,
    evidence.complexity,
    evidence.assurance_level,
    evidence.stake,
    evidence.is_flagged,
    evidence.is_banked,
    evidence.narrative_strengths,
    evidence.narrative_improvements,
    evidence.narrative_other,
    evidence.occurred_at,
    evidence.occurred_on,
    evidence.submitted_at,
    evidence.known_at,
    evidence.is_late,
    evidence.timing_note,
    evidence.source_id,
    evidence.delivery_id,
    evidence.source_row,
    evidence.source_cell
from fct_evidence as evidence
left join dim_task as task
    on
        evidence.programme_id = task.programme_id
        and evidence.task_id = task.task_id
        and task.is_current
order by evidence.learner_key, evidence.occurred_at, evidence.evidence_id, evidence.competency_id
