"""On which day a record names a person: what a re-used id means depends on it."""

from __future__ import annotations

DATED_BY: dict[str, str] = {
    "workplace_assessment": "observed_at",
    "exam_result": "occurred_at",
    "exam_response": "occurred_at",
    "ai_use_declaration": "declared_at",
    "reflection": "occurred_at",
    "meeting_note": "occurred_at",
    "learner_stage": "starts_on",
    "demographics": "stated_on",
    "consent": "effective_at",
    "decision": "decided_at",
    "action": "agreed_on",
}
"""The field of each kind that tells the day. Other kinds, and records in which the field is empty,
name a person on the day on which they became known. Staging models join by the same fields."""
