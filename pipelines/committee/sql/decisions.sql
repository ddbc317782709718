-- One row a decision, the latest first; a corrected one stands behind its correction. Whether it is out,
-- its embargo over, is not known of decisions that do not stand.
select
    decision.learner_key,
    printed_id('D', decision.record_key) as evidence_id,
    decision.decision_kind,
    decision.record_id,
    decision.committee_id,
    decision.meeting_id,
    decision.vocabulary_id,
    decision.outcome,
    decision.rationale,
    decision.dissent,
    decision.appeal_status,
    decision.standing,
    decision.agenda_list,
    decision.freeze_id,
    decision.decided_by_keys,
    decision.present_keys,
    decision.recused_keys,
    decision.dissent_by_keys,
    decision.pulled_by_keys,
    decision.addendum_ids,
    decision.corrects_record_id,
    decision.is_corrected,
    decision.is_latest,
    decision.is_since_first_arrival,
    decision.decided_at,
    decision.decided_on,
    decision.source_id,
    decision.delivery_id,
    decision.source_row,
    decision.source_cell,
    decision.known_at,
    student_record.is_out
from fct_decision as decision
left join committee_student_record as student_record
    on decision.record_key = student_record.record_key
where decision.decided_on <= getvariable('as_of')
order by
    decision.learner_key,
    decision.is_latest desc,
    decision.decided_at desc,
    decision.record_key
