"""One item or station of a sitting."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import Count, Identifier, Label, LearnerId, PersonId, Score, UtcTime
from pipelines.contracts.rules import Bars, Is, Needs, Ordered, Rule


class ExamResponse(Record):
    """What one learner did on one item, or earned at one station from one examiner.

    `answered` means that the answer is known and the key decides; `right`, `wrong` and `partial`
    are verdicts of the source. `omitted`, `dont_know` and `not_presented` are three different
    things and none of them is wrong.
    """

    kind: ClassVar[str] = "exam_response"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("response", when=Is("response_status", "answered")),
        Needs("score", when=Is("response_status", "scored", "partial")),
        Bars("response", when=Is("response_status", "omitted", "not_presented")),
        Ordered("score", "max_score"),
    )

    learner_id: LearnerId
    task_id: Identifier
    sitting_id: Identifier
    attempt: Count = 1
    item_id: Identifier
    station_id: Identifier | None = None
    competency_id: Identifier | None = None
    examiner_id: PersonId | None = None
    response: Label | None = None
    response_status: Literal[
        "answered",
        "scored",
        "right",
        "wrong",
        "partial",
        "omitted",
        "dont_know",
        "not_presented",
    ]
    score: Score | None = None
    max_score: Score | None = None
    global_rating: Label | None = None
    is_banked: bool = False
    occurred_at: UtcTime
