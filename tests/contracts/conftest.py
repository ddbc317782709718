"""A good record of every kind, as a source would write it."""

from __future__ import annotations

from typing import Any

import pytest

_COMMON = {"programme_id": "MED", "record_id": "r1"}
_WHEN = "2026-03-01T09:00:00Z"

GOOD: dict[str, dict[str, Any]] = {
    "workplace_assessment": {
        "learner_id": "s1",
        "instrument_id": "mini_cex",
        "competency_id": "EPA1",
        "scale_id": "entrustment_5",
        "level": "3",
        "narrative_strengths": "Calm.",
        "observed_at": _WHEN,
        "submitted_at": "2026-03-02T09:00:00Z",
        "stake": "0.25",
        "complexity": "low",
    },
    "exam_result": {
        "learner_id": "s1",
        "task_id": "t1",
        "sitting_id": "2026-1",
        "instrument_id": "mcq",
        "result_status": "scored",
        "score": "61.5",
        "max_score": "100",
        "occurred_at": _WHEN,
    },
    "exam_response": {
        "learner_id": "s1",
        "task_id": "t1",
        "sitting_id": "2026-1",
        "item_id": "i1",
        "response": "B",
        "response_status": "answered",
        "occurred_at": _WHEN,
    },
    "ai_use_declaration": {
        "learner_id": "s1",
        "task_id": "t1",
        "status": "used",
        "tools": '[{"name": "a tool", "version": "1"}]',
        "statement_accepted_at": _WHEN,
        "declared_at": _WHEN,
    },
    "reflection": {
        "learner_id": "s1",
        "reflection_type": "goal",
        "text": "More practice.",
        "goal_status": "open",
        "occurred_at": _WHEN,
    },
    "meeting_note": {
        "learner_id": "s1",
        "meeting_type": "mentor",
        "agreed": "Two more observations.",
        "is_shared_with_learner": "true",
        "occurred_at": _WHEN,
    },
    "learner": {
        "learner_id": "s1",
        "other_ids": '["old:77"]',
        "given_name": "Given",
        "family_name": "Family",
        "entered_on": "2024-09-01",
    },
    "learner_stage": {
        "learner_id": "s1",
        "period_type": "stage",
        "period_id": "year_1",
        "starts_on": "2024-09-01",
        "ends_on": "2025-08-31",
    },
    "demographics": {"learner_id": "s1", "attribute": "age_band", "value": "20-24"},
    "consent": {
        "learner_id": "s1",
        "purpose": "research",
        "status": "given",
        "effective_at": _WHEN,
        "expires_on": "2028-08-31",
    },
    "assessor": {"assessor_id": "a1", "assessor_role": "consultant", "is_trained": "true"},
    "task": {"task_id": "t1", "modality": "written"},
    "framework": {
        "framework_id": "f1",
        "framework_version": "1",
        "entry_type": "item",
        "competency_id": "EPA1",
        "title": "Taking a history",
    },
    "assessment_plan": {
        "plan_id": "p1",
        "plan_version": "1",
        "stage_id": "year_1",
        "competency_id": "EPA1",
        "required_n": "4",
        "source": "local choice",
    },
    "committee": {
        "committee_id": "c1",
        "entry_type": "meeting",
        "meeting_id": "m1",
        "meets_on": "2026-06-01",
    },
    "decision": {
        "learner_id": "s1",
        "decision_kind": "meeting",
        "committee_id": "c1",
        "meeting_id": "m1",
        "decided_by": '["a1", "a2"]',
        "vocabulary_id": "arcp",
        "outcome": "1",
        "rationale": "On track.",
        "decided_at": _WHEN,
        "agenda_list": "discussion",
        "pulled_by_id": "a2",
        "freeze_id": "0123456789abcdef",
        "addendum_ids": '["89abcdef01234567"]',
    },
    "action": {
        "learner_id": "s1",
        "description": "Two more observations.",
        "owner_role": "mentor",
        "agreed_on": "2026-06-01",
        "due_on": "2026-07-01",
        "status": "open",
    },
    "circumstance": {
        "learner_id": "s1",
        "circumstance_type": "adjustment",
        "adjustment": "a quarter more time",
        "status": "accepted",
        "disclosed_on": "2026-01-10",
        "decided_on": "2026-01-20",
        "decided_by_id": "a1",
        "need_to_know": "committee",
    },
    "requirement": {
        "learner_id": "s1",
        "requirement_id": "basic_life_support",
        "requirement_type": "certificate",
        "status": "met",
        "issued_on": "2026-01-10",
        "expires_on": "2027-01-09",
    },
    "professionalism_report": {
        "learner_id": "s1",
        "report_type": "professionalism",
        "severity": "low",
        "description": "Came late to the handover twice.",
        "reporter_id": "a1",
        "status": "raised",
        "occurred_at": _WHEN,
    },
    "void": {"target_kind": "exam_result"},
}


@pytest.fixture(scope="session")
def good() -> dict[str, dict[str, Any]]:
    """Return a good record of every kind."""
    return {kind: _COMMON | record for kind, record in GOOD.items()}
