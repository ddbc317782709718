"""The learner's and the mentor's own words."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import Day, Identifier, LearnerId, Narrative, PersonId, UtcTime
from pipelines.contracts.rules import Is, Needs, Rule


class Reflection(Record):
    """A reflection, self-assessment, goal, response, or the dispute of a data point."""

    kind: ClassVar[str] = "reflection"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("about_record_id", when=Is("reflection_type", "dispute")),
    )

    learner_id: LearnerId
    reflection_type: Literal["reflection", "self_assessment", "goal", "response", "dispute"]
    about_record_id: Identifier | None = None
    competency_id: Identifier | None = None
    text: Narrative
    due_on: Day | None = None
    occurred_at: UtcTime


class MeetingNote(Record):
    """What a mentor and a learner, or a progress meeting, noted."""

    kind: ClassVar[str] = "meeting_note"
    contract_version: ClassVar[int] = 1

    learner_id: LearnerId
    meeting_type: Literal["mentor", "progress"]
    mentor_id: PersonId | None = None
    text: Narrative | None = None
    occurred_at: UtcTime
    next_on: Day | None = None
