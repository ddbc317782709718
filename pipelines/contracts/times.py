"""When what a record tells took place."""

from __future__ import annotations

EVENT_TIMES: dict[str, str] = {
    "workplace_assessment": "observed_at",
    "exam_result": "occurred_at",
    "exam_response": "occurred_at",
    "ai_use_declaration": "declared_at",
    "reflection": "occurred_at",
    "meeting_note": "occurred_at",
    "demographics": "stated_on",
    "decision": "decided_at",
    "action": "agreed_on",
    "circumstance": "disclosed_on",
    "requirement": "occurred_at",
    "professionalism_report": "occurred_at",
    "void": "voided_at",
}
"""The field of each kind that tells of the past; others may be planned ahead."""
