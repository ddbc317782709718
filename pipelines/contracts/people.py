"""Learners, their stages, their demographics and consent, and assessors."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Day,
    Identifier,
    Label,
    LearnerId,
    OtherIds,
    PersonId,
    PersonName,
    Share,
    UtcTime,
)
from pipelines.contracts.rules import Is, Needs, Ordered, Rule


class Learner(Record):
    """A person who learns, as one roster knows them.

    `other_ids` are ids of the same person in the same name space or, written `namespace:id`, in
    another; they make the identity bridge.
    """

    kind: ClassVar[str] = "learner"
    contract_version: ClassVar[int] = 1

    learner_id: LearnerId
    other_ids: OtherIds | None = None
    given_name: PersonName | None = None
    family_name: PersonName | None = None
    email: PersonName | None = None
    cohort_id: Identifier | None = None
    mentor_id: PersonId | None = None
    entered_on: Day | None = None


class LearnerStage(Record):
    """A dated stretch of a learner's way: enrolment, stage, rotation, leave, or a clock's rate."""

    kind: ClassVar[str] = "learner_stage"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Ordered("starts_on", "ends_on"),
        Needs("full_time_share", when=Is("period_type", "part_time")),
    )

    learner_id: LearnerId
    period_type: Literal[
        "enrolment", "stage", "rotation", "leave", "part_time", "intercalation", "clock_stop"
    ]
    period_id: Identifier
    """Which stage, rotation, enrolment or kind of leave."""
    starts_on: Day | None = None
    ends_on: Day | None = None
    is_planned: bool = False
    full_time_share: Share | None = None
    status: Literal["active", "completed", "withdrawn"] | None = None
    outcome: Label | None = None


class Demographics(Record):
    """One attribute of one learner, restricted to fairness analysis."""

    kind: ClassVar[str] = "demographics"
    contract_version: ClassVar[int] = 1

    learner_id: LearnerId
    attribute: Identifier
    value: Label
    stated_on: Day | None = None


class Consent(Record):
    """A learner's consent to one purpose, given or withdrawn."""

    kind: ClassVar[str] = "consent"
    contract_version: ClassVar[int] = 2

    learner_id: LearnerId
    purpose: Identifier
    status: Literal["given", "withdrawn"]
    effective_at: UtcTime
    expires_on: Day | None = None
    form_version: Identifier | None = None


class Assessor(Record):
    """A person who assesses, with the role and dates in which they do so."""

    kind: ClassVar[str] = "assessor"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (Ordered("active_from", "active_to"),)

    assessor_id: PersonId
    other_ids: OtherIds | None = None
    given_name: PersonName | None = None
    family_name: PersonName | None = None
    email: PersonName | None = None
    assessor_role: Identifier
    specialty: Identifier | None = None
    is_trained: bool | None = None
    active_from: Day | None = None
    active_to: Day | None = None
