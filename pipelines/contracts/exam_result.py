"""Results of exams, progress tests, OSCEs and coursework: one learner, one sitting, one attempt."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import Count, Identifier, Label, LearnerId, Offset, Score, UtcTime
from pipelines.contracts.rules import AnyOf, Bars, Is, Needs, Ordered, Rule


class ExamResult(Record):
    """What one learner got in one attempt at one sitting.

    A result without a mark is `not_scored`, `absent` or `exempt`, never zero. A banked result is
    carried over from an earlier sitting and is not new evidence.
    """

    kind: ClassVar[str] = "exam_result"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("score", when=Is("result_status", "scored")),
        Bars("score", when=Is("result_status", "absent", "exempt", "not_scored")),
        Ordered("score", "max_score"),
        AnyOf("occurred_at", "relative_day"),
    )

    learner_id: LearnerId
    task_id: Identifier
    sitting_id: Identifier
    attempt: Count = 1
    instrument_id: Identifier
    competency_id: Identifier | None = None
    result_status: Literal["scored", "not_scored", "absent", "exempt"]
    score: Score | None = None
    max_score: Score | None = None
    grade: Label | None = None
    n_right: Count | None = None
    n_wrong: Count | None = None
    n_dont_know: Count | None = None
    n_omitted: Count | None = None
    is_banked: bool = False
    banked_from_sitting_id: Identifier | None = None
    occurred_at: UtcTime | None = None
    relative_day: Offset | None = None
    """Days after the first day of the task's module, where the source knows no dates."""
    submitted_at: UtcTime | None = None
