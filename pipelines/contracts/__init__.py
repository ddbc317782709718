"""One pydantic contract per kind of record: the only place where a record's rules are written."""

from __future__ import annotations

from pipelines.contracts.ai_use_declaration import AiTool, AiUseDeclaration
from pipelines.contracts.base import Record
from pipelines.contracts.committee import Action, Committee, Decision
from pipelines.contracts.exam_response import ExamResponse
from pipelines.contracts.exam_result import ExamResult
from pipelines.contracts.obligations import Circumstance, ProfessionalismReport, Requirement
from pipelines.contracts.people import Assessor, Consent, Demographics, Learner, LearnerStage
from pipelines.contracts.programme import AssessmentPlan, Framework, Task
from pipelines.contracts.reflection import MeetingNote, Reflection
from pipelines.contracts.void import Void
from pipelines.contracts.workplace_assessment import WorkplaceAssessment

CONTRACTS: dict[str, type[Record]] = {
    contract.kind: contract
    for contract in (
        WorkplaceAssessment,
        ExamResult,
        ExamResponse,
        AiUseDeclaration,
        Reflection,
        MeetingNote,
        Learner,
        LearnerStage,
        Demographics,
        Consent,
        Assessor,
        Task,
        Framework,
        AssessmentPlan,
        Committee,
        Decision,
        Action,
        Circumstance,
        Requirement,
        ProfessionalismReport,
        Void,
    )
}
"""Every kind of record by its name."""


def contract_for(kind: str) -> type[Record]:
    """Return the contract of a kind.

    Raises:
        KeyError: no contract has that name; the message lists those that exist.
    """
    try:
        return CONTRACTS[kind]
    except KeyError:
        raise KeyError(f"no kind {kind!r}; known kinds: {', '.join(sorted(CONTRACTS))}") from None


__all__ = [
    "CONTRACTS",
    "Action",
    "AiTool",
    "AiUseDeclaration",
    "AssessmentPlan",
    "Assessor",
    "Circumstance",
    "Committee",
    "Consent",
    "Decision",
    "Demographics",
    "ExamResponse",
    "ExamResult",
    "Framework",
    "Learner",
    "LearnerStage",
    "MeetingNote",
    "ProfessionalismReport",
    "Record",
    "Reflection",
    "Requirement",
    "Task",
    "Void",
    "WorkplaceAssessment",
    "contract_for",
]
