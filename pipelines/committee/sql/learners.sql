-- One row a learner: who, where, and why the meeting may talk about them.
select
    learner.learner_key,
    learner.programme_id,
    learner.site_id,
    learner.cohort_id,
    learner.entered_on,
    learner.mentor_key,
    coalesce(agenda.stage_id, learner.stage_id) as stage_id,
    learner.rotation_id,
    learner.rotation_starts_on,
    learner.rotation_ends_on,
    learner.enrolment_status,
    learner.is_on_roster,
    learner.n_days_leave,
    agenda.committee_id,
    agenda.meeting_id,
    agenda.meets_on,
    coalesce(agenda.reasons, []) as reasons,
    agenda.reason_text,
    agenda.agenda_group,
    agenda.minutes,
    agenda.agenda_order,
    agenda.last_decision_outcome,
    agenda.last_decided_on,
    coalesce(agenda.n_actions_open, 0) as n_actions_open,
    coalesce(agenda.n_actions_overdue, 0) as n_actions_overdue,
    coalesce(agenda.n_competencies, 0) as n_competencies,
    coalesce(agenda.n_enough_evidence, 0) as n_enough_evidence,
    coalesce(agenda.n_needs_discussion, 0) as n_needs_discussion,
    coalesce(agenda.n_quarantined, 0) as n_quarantined
from dim_learner as learner
left join committee_agenda as agenda
    on
        learner.learner_key = agenda.learner_key
        and learner.programme_id = agenda.programme_id
order by learner.learner_key, learner.programme_id
