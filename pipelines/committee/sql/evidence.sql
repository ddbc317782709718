-- One row a data point and competency, oldest first, with all that was written. A level whose form names
-- no version of its scale is one of the newest.
select
    evidence.learner_key,
    evidence.evidence_id,
    coalesce(evidence.round_id, evidence.evidence_id) as data_point_id,
    evidence.record_id,
    evidence.programme_id,
    evidence.kind,
    evidence.competency_id,
    evidence.stage_id,
    evidence.instrument_id,
    evidence.task_id,
    task.title,
    evidence.sitting_id,
    evidence.attempt,
    evidence.result_status,
    evidence.grade,
    evidence.cut_score,
    evidence.form_id,
    evidence.scale_id,
    coalesce(evidence.scale_version, newest.scale_version) as scale_version,
    newest.has_versions,
    evidence.direction,
    evidence.level,
    evidence.raw_label,
    evidence.target_scale_version,
    evidence.target_level,
    evidence.is_at_or_above_target,
    evidence.score,
    evidence.max_score,
    evidence.assessor_key,
    evidence.assessor_role,
    evidence.examiner_keys,
    evidence.setting,
    evidence.case_type,
    evidence.complexity,
    evidence.assurance_level,
    evidence.stake,
    evidence.is_flagged,
    evidence.is_banked,
    evidence.is_withheld,
    evidence.is_new_evidence,
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
left join newest_version() as newest on evidence.scale_id = newest.scale_id
where evidence.occurred_on is null or evidence.occurred_on <= getvariable('as_of')
order by evidence.learner_key, evidence.occurred_at, evidence.evidence_id, evidence.competency_id
