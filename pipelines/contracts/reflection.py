"""The learner's and the mentor's own words."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Day,
    Identifier,
    Label,
    LearnerId,
    Narrative,
    Ordinal,
    PersonId,
    PersonIds,
    UtcTime,
)
from pipelines.contracts.rules import Bars, Is, Needs, Ordered, Present, Rule


class Reflection(Record):
    """A reflection, self-assessment, goal, response, or the dispute of a data point.

    A response answers another record of the learner or a dispute (`in_reply_to_record_id`). A
    dispute has somebody who sees to it and a state of its own; the data point stays as it is.
    """

    kind: ClassVar[str] = "reflection"
    contract_version: ClassVar[int] = 2
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("about_record_id", when=Is("reflection_type", "dispute")),
        Bars(
            "goal_status",
            when=Is("reflection_type", "reflection", "self_assessment", "response", "dispute"),
        ),
        Bars(
            "dispute_status",
            when=Is("reflection_type", "reflection", "self_assessment", "goal", "response"),
        ),
        Needs("scale_id", when=Present("level")),
        Ordered("occurred_at", "answered_at"),
    )

    learner_id: LearnerId
    reflection_type: Literal["reflection", "self_assessment", "goal", "response", "dispute"]
    about_record_id: Identifier | None = None
    in_reply_to_record_id: Identifier | None = None
    competency_id: Identifier | None = None
    scale_id: Identifier | None = None
    scale_version: Identifier | None = None
    raw_label: Label | None = None
    level: Ordinal | None = None
    text: Narrative
    goal_status: Literal["open", "met", "dropped"] | None = None
    dispute_status: Literal["raised", "answered", "upheld", "dismissed", "withdrawn"] | None = None
    owner_id: PersonId | None = None
    due_on: Day | None = None
    occurred_at: UtcTime
    answered_at: UtcTime | None = None


class MeetingNote(Record):
    """What a mentor and a learner, or a progress meeting, noted."""

    kind: ClassVar[str] = "meeting_note"
    contract_version: ClassVar[int] = 2

    learner_id: LearnerId
    meeting_type: Literal["mentor", "progress"]
    meeting_id: Identifier | None = None
    mentor_id: PersonId | None = None
    attendees: PersonIds | None = None
    text: Narrative | None = None
    agreed: Narrative | None = None
    is_shared_with_learner: bool | None = None
    occurred_at: UtcTime
    next_on: Day | None = None
