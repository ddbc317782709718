"""What bears on a learner's standing beside assessments: circumstances, requirements, conduct."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Count,
    Day,
    Identifier,
    Label,
    LearnerId,
    Narrative,
    NeedToKnow,
    PersonId,
    Share,
    UtcTime,
)
from pipelines.contracts.rules import Bars, Is, Needs, Ordered, Rule


class Circumstance(Record):
    """A circumstance that a learner disclosed, or an adjustment that was granted.

    Restricted: the learner always sees it, others only within `need_to_know`. What the adjustment
    is (`adjustment`) may be known more widely than why.
    """

    kind: ClassVar[str] = "circumstance"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("adjustment", when=Is("circumstance_type", "adjustment")),
        Bars("adjustment", when=Is("circumstance_type", "mitigating")),
        Needs("decided_on", when=Is("status", "accepted", "declined")),
        Ordered("starts_on", "ends_on"),
        Ordered("disclosed_on", "decided_on"),
    )

    learner_id: LearnerId
    circumstance_type: Literal["mitigating", "adjustment"]
    category: Identifier | None = None
    adjustment: Label | None = None
    description: Narrative | None = None
    """What the learner disclosed, word for word."""
    stage_id: Identifier | None = None
    task_id: Identifier | None = None
    starts_on: Day | None = None
    """First day for which it holds."""
    ends_on: Day | None = None
    """Last day for which it holds."""
    status: Literal["disclosed", "accepted", "declined", "withdrawn"]
    disclosed_on: Day
    decided_on: Day | None = None
    decided_by_id: PersonId | None = None
    need_to_know: NeedToKnow = "case_holders"


class Requirement(Record):
    """Where a learner stands with something mandatory: a procedure, a certificate, attendance."""

    kind: ClassVar[str] = "requirement"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("issued_on", when=Is("requirement_type", "certificate")),
        Bars("attended_share", when=Is("requirement_type", "procedure", "certificate")),
        Ordered("issued_on", "expires_on"),
    )

    learner_id: LearnerId
    requirement_id: Identifier
    requirement_type: Literal["procedure", "certificate", "attendance"]
    title: Label | None = None
    stage_id: Identifier | None = None
    status: Literal["met", "in_progress", "not_met", "expired", "waived"]
    n_done: Count | None = None
    required_n: Count | None = None
    attended_share: Share | None = None
    issued_on: Day | None = None
    expires_on: Day | None = None
    verified_by_id: PersonId | None = None
    reference: Label | None = None
    occurred_at: UtcTime | None = None
    """When it was done, or up to when it was counted."""


class ProfessionalismReport(Record):
    """A report on a learner's conduct, or on an incident that the learner was part of.

    Restricted: seen within `need_to_know` only, and by the learner once it is shared. A report is
    what somebody said; only an upheld one is a finding.
    """

    kind: ClassVar[str] = "professionalism_report"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Bars("severity", when=Is("report_type", "commendation")),
        Needs("closed_on", when=Is("status", "upheld", "not_upheld", "closed")),
        Bars("closed_on", when=Is("status", "raised", "under_review")),
    )

    learner_id: LearnerId
    report_type: Literal["professionalism", "incident", "commendation"]
    category: Identifier | None = None
    severity: Literal["low", "moderate", "high"] | None = None
    description: Narrative
    """What was reported, word for word."""
    learner_response: Narrative | None = None
    competency_id: Identifier | None = None
    setting: Identifier | None = None
    reporter_id: PersonId | None = None
    reporter_role: Identifier | None = None
    status: Literal["raised", "under_review", "upheld", "not_upheld", "closed"]
    outcome: Label | None = None
    occurred_at: UtcTime
    reported_at: UtcTime | None = None
    closed_on: Day | None = None
    need_to_know: NeedToKnow = "case_holders"
    is_shared_with_learner: bool = False
