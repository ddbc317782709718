"""What evidence is judged against: tasks, frameworks, assessment plans."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipelines.contracts.base import Record
from pipelines.contracts.fields import Count, Day, Identifier, Label, Names, Ordinal, Score
from pipelines.contracts.rules import Both, Is, Needs, Ordered, Present, Rule


class Task(Record):
    """An assessment task, an exam, or one item of it, under the policy of a stretch of time.

    The AI policy belongs to the task from `policy_from` to `policy_to`; a change of policy is
    another record of the same `task_id`.
    """

    kind: ClassVar[str] = "task"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("ai_policy_scale", when=Present("ai_policy_level")),
        Needs(
            "answer_key",
            when=Both(
                Present("parent_task_id"), Is("scoring_rule", "exact_set", "symmetric_difference")
            ),
        ),
        Ordered("opens_on", "due_on"),
        Ordered("policy_from", "policy_to"),
    )

    task_id: Identifier
    parent_task_id: Identifier | None = None
    module_id: Identifier | None = None
    """The course, module run or block that the task counts towards."""
    module_starts_on: Day | None = None
    """The first day of the module, where results count their days from it."""
    title: Label | None = None
    modality: Identifier
    instrument_id: Identifier | None = None
    assurance_level: Literal["observed", "secured", "open"] | None = None
    competency_ids: Names | None = None
    opens_on: Day | None = None
    due_on: Day | None = None
    weight: Score | None = None
    max_score: Score | None = None
    cut_score: Score | None = None
    cut_score_method: Identifier | None = None
    scoring_rule: Literal["as_scored", "formula", "exact_set", "symmetric_difference"] | None = None
    """How items are scored: as the source did, by formula, or from `answer_key` as a set.

    The rule of an exam holds for its items, which have the keys.
    """
    points_right: Score | None = None
    points_wrong: Score | None = None
    points_dont_know: Score | None = None
    answer_key: Label | None = None
    n_options: Count | None = None
    ai_policy_scale: Identifier | None = None
    ai_policy_scale_version: Identifier | None = None
    ai_policy_level: Ordinal | None = None
    requires_ai_declaration: bool | None = None
    policy_from: Day | None = None
    policy_to: Day | None = None


class Framework(Record):
    """One entry of a versioned competency framework, or one link between two entries."""

    kind: ClassVar[str] = "framework"
    contract_version: ClassVar[int] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("title", when=Is("entry_type", "item")),
        Needs("target_competency_id", when=Is("entry_type", "link")),
        Needs("link_type", when=Is("entry_type", "link")),
        Ordered("valid_from", "valid_to"),
    )

    framework_id: Identifier
    framework_version: Identifier
    entry_type: Literal["item", "link"]
    competency_id: Identifier
    competency_type: Identifier | None = None
    title: Label | None = None
    sort_order: Count | None = None
    link_type: Literal["is_child_of", "is_part_of", "maps_to", "is_related_to"] | None = None
    target_framework_id: Identifier | None = None
    target_framework_version: Identifier | None = None
    target_competency_id: Identifier | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class AssessmentPlan(Record):
    """What a stage requires for one competency: how many, by whom, to which level."""

    kind: ClassVar[str] = "assessment_plan"
    contract_version: ClassVar[int] = 2
    rules: ClassVar[tuple[Rule, ...]] = (
        Needs("target_scale_id", when=Present("target_level")),
        Needs("target_scale_id", when=Present("target_scale_version")),
        Ordered("valid_from", "valid_to"),
    )

    plan_id: Identifier
    plan_version: Identifier
    stage_id: Identifier
    competency_id: Identifier
    instrument_id: Identifier | None = None
    required_n: Count | None = None
    required_assessors: Count | None = None
    target_scale_id: Identifier | None = None
    target_scale_version: Identifier | None = None
    target_level: Ordinal | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    source: Label
    """The publication or local decision that the numbers come from."""
