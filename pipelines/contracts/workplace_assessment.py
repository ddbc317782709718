"""Workplace-based assessments: mini-CEX, DOPS, CbD, ACAT, MSF, EPA and field notes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Identifier,
    Label,
    LearnerId,
    Narrative,
    Ordinal,
    PersonId,
    Share,
    UtcTime,
)
from pipelines.contracts.rules import AnyOf, Needs, Ordered, Present, Rule


class WorkplaceAssessment(Record):
    """One judgement of one learner on one competency or EPA, on one form.

    A form that rates several competencies is several records with the same `form_record_id`.
    `level` is an ordinal position on `scale_id`; levels of different scales are never pooled.
    """

    kind: ClassVar[str] = "workplace_assessment"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        AnyOf("level", "narrative_strengths", "narrative_improvements", "narrative_other"),
        Needs("scale_id", when=Present("level")),
        Ordered("observed_at", "submitted_at"),
    )

    learner_id: LearnerId
    instrument_id: Identifier
    form_id: Identifier | None = None
    form_version: Identifier | None = None
    form_record_id: Identifier | None = None
    task_id: Identifier | None = None
    framework_id: Identifier | None = None
    competency_id: Identifier
    scale_id: Identifier | None = None
    scale_version: Identifier | None = None
    raw_label: Label | None = None
    level: Ordinal | None = None
    direction: Literal["retrospective", "prospective"] | None = None
    decision_kind: Literal["ad_hoc", "summative"] | None = None
    assessor_id: PersonId | None = None
    assessor_role: Identifier | None = None
    setting: Identifier | None = None
    case_type: Identifier | None = None
    complexity: Literal["low", "medium", "high"] | None = None
    stake: Share | None = None
    assurance_level: Literal["observed", "secured", "open"] | None = None
    narrative_strengths: Narrative | None = None
    narrative_improvements: Narrative | None = None
    narrative_other: Narrative | None = None
    is_flagged: bool = False
    observed_at: UtcTime
    requested_at: UtcTime | None = None
    submitted_at: UtcTime | None = None
