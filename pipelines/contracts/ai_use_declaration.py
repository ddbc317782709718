"""What a learner declares about the use of AI in one task."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    Identifier,
    Label,
    LearnerId,
    Names,
    Narrative,
    UtcTime,
    json_list,
)
from pipelines.contracts.rules import Bars, Is, Needs, Rule


class AiTool(BaseModel):
    """A tool as the learner names it, with its version or date where known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Label
    version: Label | None = None


class AiUseDeclaration(Record):
    """One learner's declaration for one task and submission.

    `not_declared` (asked for, not given) is not `not_used`, and neither is `not_required`.
    Whether the use is within the task's policy is worked out later, against the policy in force
    on that day. There is no field for a detector's score: AI use is declared, never detected.
    """

    kind: ClassVar[str] = "ai_use_declaration"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("tools", when=Is("status", "used")),
        Needs("statement_accepted_at", when=Is("status", "used", "not_used")),
        Bars("tools", when=Is("status", "not_used", "not_declared")),
        Bars("statement_accepted_at", when=Is("status", "not_declared")),
    )

    learner_id: LearnerId
    task_id: Identifier
    submission_id: Identifier | None = None
    status: Literal["used", "not_used", "not_declared", "not_required"]
    tools: json_list(AiTool, 20) | None = None  # type: ignore[valid-type]
    purposes: Names | None = None
    stages: Names | None = None
    extent: Literal["minor", "moderate", "substantial"] | None = None
    prompts_reference: Label | None = None
    output_changes: Narrative | None = None
    verification: Narrative | None = None
    is_verified: bool | None = None
    has_patient_data: bool | None = None
    has_accessibility_exemption: bool = False
    statement_accepted_at: UtcTime | None = None
    declared_at: UtcTime
    amends_record_id: Identifier | None = None
