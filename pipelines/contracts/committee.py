"""Committees, their decisions and the actions agreed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Count,
    Day,
    Identifier,
    Label,
    LearnerId,
    Names,
    Narrative,
    PersonId,
    PersonIds,
    UtcTime,
)
from pipelines.contracts.rules import (
    Apart,
    Bars,
    ExactlyOne,
    Is,
    Needs,
    Ordered,
    Present,
    Reaches,
    Rule,
    Within,
)


class Committee(Record):
    """A member's term on a committee, one of its meetings, or who came to a meeting."""

    kind: ClassVar[str] = "committee"
    contract_version: ClassVar[int] = 2
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("member_id", when=Is("entry_type", "member", "attendance")),
        Needs("member_role", when=Is("entry_type", "member")),
        Needs("meeting_id", when=Is("entry_type", "meeting", "attendance")),
        Needs("meets_on", when=Is("entry_type", "meeting")),
        Needs("attendance", when=Is("entry_type", "attendance")),
        Bars("attendance", when=Is("entry_type", "member", "meeting")),
        Ordered("term_from", "term_to"),
    )

    committee_id: Identifier
    entry_type: Literal["member", "meeting", "attendance"]
    member_id: PersonId | None = None
    member_role: Identifier | None = None
    is_voting: bool | None = None
    term_from: Day | None = None
    term_to: Day | None = None
    meeting_id: Identifier | None = None
    meets_on: Day | None = None
    stage_id: Identifier | None = None
    quorum: Count | None = None
    attendance: Literal["present", "apologies", "absent", "recused"] | None = None


class Decision(Record):
    """What named people decided about one learner.

    A decision without a person is refused: `decided_by` holds at least one. A chair's action is
    one person's and belongs to no meeting. What only the committee's own records can tell, whether
    these people were entitled to decide on that day, is judged when an edition is built.
    """

    kind: ClassVar[str] = "decision"
    contract_version: ClassVar[int] = 3
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("meeting_id", when=Is("decision_kind", "meeting")),
        Bars("meeting_id", when=Is("decision_kind", "chairs_action")),
        ExactlyOne("decided_by", when=Is("decision_kind", "chairs_action")),
        Bars("quorum", when=Is("decision_kind", "chairs_action")),
        Apart("decided_by", "recused", "who is recused does not decide"),
        Apart("dissent_by", "recused", "who is recused does not vote"),
        Within("decided_by", "present"),
        Within("dissent_by", "present"),
        Needs("dissent", when=Present("dissent_by")),
        Reaches(("present", "decided_by"), "quorum"),
        Bars("agenda_list", when=Is("decision_kind", "chairs_action")),
        Bars("pulled_by_id", when=Is("agenda_list", "consent")),
        Needs("freeze_id", when=Present("addendum_ids")),
    )

    learner_id: LearnerId
    decision_kind: Literal["meeting", "chairs_action"]
    committee_id: Identifier
    meeting_id: Identifier | None = None
    decided_by: PersonIds = Field(min_length=1)
    present: PersonIds | None = None
    recused: PersonIds | None = None
    quorum: Count | None = None
    """How many voting members the decision needed; the meeting's own number by default."""
    vocabulary_id: Identifier
    outcome: Label
    rationale: Narrative
    dissent: Narrative | None = None
    dissent_by: PersonIds | None = None
    appeal_status: Literal["none", "lodged", "upheld", "dismissed"] = "none"
    decided_at: UtcTime
    corrects_record_id: Identifier | None = None
    agenda_list: Literal["discussion", "consent"] | None = None
    """How the meeting came to it; from the consent list, those in `decided_by` confirmed it."""
    pulled_by_id: PersonId | None = None
    """The member who pulled the learner from the consent list, so that they were discussed."""
    freeze_id: Identifier | None = None
    """The frozen pack that the meeting saw."""
    addendum_ids: Names | None = None
    """The addenda to the frozen pack that were seen before it was decided."""


class Action(Record):
    """Something agreed for a learner, with an owner and a day."""

    kind: ClassVar[str] = "action"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("done_on", when=Is("status", "done")),
        Ordered("agreed_on", "due_on"),
    )

    learner_id: LearnerId
    decision_record_id: Identifier | None = None
    description: Narrative
    owner_role: Identifier
    owner_id: PersonId | None = None
    instrument_id: Identifier | None = None
    competency_id: Identifier | None = None
    required_n: Count | None = None
    agreed_on: Day
    due_on: Day | None = None
    status: Literal["open", "done", "cancelled"]
    done_on: Day | None = None
