"""Every rule of every contract, broken once."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.contracts import CONTRACTS, Decision
from pipelines.contracts.problems import problems
from pipelines.contracts.rules import Apart, ExactlyOne, Reaches, Within

Record = dict[str, Any]

BREAKS: list[tuple[str, dict[str, Any], str, str]] = [
    ("workplace_assessment", {"level": None, "narrative_strengths": None, "scale_id": None},
     "nothing_given", "level"),
    ("workplace_assessment", {"scale_id": None}, "field_needed", "scale_id"),
    ("workplace_assessment", {"submitted_at": "2026-02-01T00:00:00Z"}, "out_of_order",
     "submitted_at"),
    ("exam_result", {"score": None}, "field_needed", "score"),
    ("exam_result", {"result_status": "absent"}, "field_not_allowed", "score"),
    ("exam_result", {"score": "101"}, "out_of_order", "max_score"),
    ("exam_result", {"occurred_at": None}, "nothing_given", "occurred_at"),
    ("exam_response", {"response": None}, "field_needed", "response"),
    ("exam_response", {"response": None, "response_status": "scored"}, "field_needed", "score"),
    ("exam_response", {"response_status": "omitted"}, "field_not_allowed", "response"),
    ("exam_response", {"score": "2", "max_score": "1"}, "out_of_order", "max_score"),
    ("ai_use_declaration", {"tools": None}, "field_needed", "tools"),
    ("ai_use_declaration", {"statement_accepted_at": None}, "field_needed",
     "statement_accepted_at"),
    ("ai_use_declaration", {"status": "not_used"}, "field_not_allowed", "tools"),
    ("ai_use_declaration", {"status": "not_declared", "tools": None}, "field_not_allowed",
     "statement_accepted_at"),
    ("reflection", {"reflection_type": "dispute"}, "field_needed", "about_record_id"),
    ("reflection", {"reflection_type": "response"}, "field_not_allowed", "goal_status"),
    ("reflection", {"dispute_status": "raised"}, "field_not_allowed", "dispute_status"),
    ("reflection", {"level": "3"}, "field_needed", "scale_id"),
    ("reflection", {"answered_at": "2026-02-01T00:00:00Z"}, "out_of_order", "answered_at"),
    ("circumstance", {"adjustment": None}, "field_needed", "adjustment"),
    ("circumstance", {"circumstance_type": "mitigating"}, "field_not_allowed", "adjustment"),
    ("circumstance", {"decided_on": None}, "field_needed", "decided_on"),
    ("circumstance", {"starts_on": "2026-02-01", "ends_on": "2026-01-01"}, "out_of_order",
     "ends_on"),
    ("circumstance", {"decided_on": "2026-01-09"}, "out_of_order", "decided_on"),
    ("requirement", {"issued_on": None, "expires_on": None}, "field_needed", "issued_on"),
    ("requirement", {"attended_share": "0.9"}, "field_not_allowed", "attended_share"),
    ("requirement", {"expires_on": "2026-01-01"}, "out_of_order", "expires_on"),
    ("professionalism_report", {"report_type": "commendation"}, "field_not_allowed", "severity"),
    ("professionalism_report", {"status": "upheld"}, "field_needed", "closed_on"),
    ("professionalism_report", {"closed_on": "2026-04-01"}, "field_not_allowed", "closed_on"),
    ("learner_stage", {"ends_on": "2024-08-31"}, "out_of_order", "ends_on"),
    ("learner_stage", {"period_type": "part_time"}, "field_needed", "full_time_share"),
    ("assessor", {"active_from": "2026-02-01", "active_to": "2026-01-01"}, "out_of_order",
     "active_to"),
    ("task", {"ai_policy_level": "2"}, "field_needed", "ai_policy_scale"),
    ("task", {"scoring_rule": "exact_set", "parent_task_id": "x1"}, "field_needed", "answer_key"),
    ("task", {"opens_on": "2026-02-01", "due_on": "2026-01-01"}, "out_of_order", "due_on"),
    ("task", {"policy_from": "2026-02-01", "policy_to": "2026-01-01"}, "out_of_order",
     "policy_to"),
    ("framework", {"title": None}, "field_needed", "title"),
    ("framework", {"entry_type": "link", "link_type": "is_child_of"}, "field_needed",
     "target_competency_id"),
    ("framework", {"entry_type": "link", "target_competency_id": "EPA2"}, "field_needed",
     "link_type"),
    ("framework", {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "out_of_order",
     "valid_to"),
    ("assessment_plan", {"target_level": "3"}, "field_needed", "target_scale_id"),
    ("assessment_plan", {"target_scale_version": "1"}, "field_needed", "target_scale_id"),
    ("assessment_plan", {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "out_of_order",
     "valid_to"),
    ("committee", {"entry_type": "member", "member_role": "chair"}, "field_needed", "member_id"),
    ("committee", {"entry_type": "member", "member_id": "a1"}, "field_needed", "member_role"),
    ("committee", {"meeting_id": None}, "field_needed", "meeting_id"),
    ("committee", {"meets_on": None}, "field_needed", "meets_on"),
    ("committee", {"term_from": "2026-02-01", "term_to": "2026-01-01"}, "out_of_order",
     "term_to"),
    ("committee", {"entry_type": "attendance", "member_id": "a1"}, "field_needed", "attendance"),
    ("committee", {"attendance": "present"}, "field_not_allowed", "attendance"),
    ("decision", {"meeting_id": None}, "field_needed", "meeting_id"),
    ("decision", {"decided_by": "[]"}, "too_few_items", "decided_by"),
    ("decision", {"decision_kind": "chairs_action", "decided_by": '["a1"]'}, "field_not_allowed",
     "meeting_id"),
    ("decision", {"decision_kind": "chairs_action", "meeting_id": None}, "not_exactly_one",
     "decided_by"),
    ("decision", {"decision_kind": "chairs_action", "meeting_id": None, "decided_by": '["a1"]',
     "quorum": 1}, "field_not_allowed", "quorum"),
    ("decision", {"recused": '["a2"]'}, "in_both_lists", "decided_by"),
    ("decision", {"recused": '["a3"]', "dissent_by": '["a3"]', "dissent": "No."}, "in_both_lists",
     "dissent_by"),
    ("decision", {"present": '["a1", "a3"]'}, "not_in_list_of", "decided_by"),
    ("decision", {"present": '["a1", "a2"]', "dissent_by": '["a3"]', "dissent": "No."},
     "not_in_list_of", "dissent_by"),
    ("decision", {"dissent_by": '["a2"]'}, "field_needed", "dissent"),
    ("decision", {"quorum": 3}, "too_few_people", "present"),
    ("decision", {"decision_kind": "chairs_action", "meeting_id": None, "decided_by": '["a1"]'},
     "field_not_allowed", "agenda_list"),
    ("decision", {"agenda_list": "consent"}, "field_not_allowed", "pulled_by_id"),
    ("decision", {"freeze_id": None}, "field_needed", "freeze_id"),
    ("action", {"status": "done"}, "field_needed", "done_on"),
    ("action", {"due_on": "2026-05-01"}, "out_of_order", "due_on"),
]  # fmt: skip


def listed(value: Any) -> Any:
    """Return a list that is written as JSON as the contract reads it."""
    is_list = isinstance(value, str) and value.startswith("[")
    return json.loads(value) if is_list else value


def filled(record: Record) -> Record:
    return {name: value for name, value in record.items() if value is not None}


@pytest.mark.parametrize("kind", CONTRACTS)
def test_the_good_record_of_each_kind_is_accepted(kind: str, good: dict[str, Record]) -> None:
    CONTRACTS[kind].model_validate(good[kind])


@pytest.mark.parametrize(("kind", "change", "code", "field"), BREAKS)
def test_each_rule_refuses_a_record_that_breaks_it(
    kind: str, change: Record, code: str, field: str, good: dict[str, Record]
) -> None:
    contract = CONTRACTS[kind]
    with pytest.raises(ValidationError) as caught:
        contract.model_validate(filled(good[kind] | change))
    assert [(p.code, p.field) for p in problems(contract, caught.value)] == [(code, field)]


def test_an_exam_may_say_how_its_items_are_scored_without_a_key(good: dict[str, Record]) -> None:
    exam = good["task"] | {"scoring_rule": "exact_set", "answer_key": None, "parent_task_id": None}
    CONTRACTS["task"].model_validate(filled(exam))


def test_every_rule_of_every_contract_has_a_record_that_breaks_it(
    good: dict[str, Record],
) -> None:
    for kind, contract in CONTRACTS.items():
        unbroken = set(contract.rules)
        for of_kind, change, _, _ in BREAKS:
            if of_kind == kind:
                loose = dict.fromkeys(contract.model_fields)
                read = {name: listed(v) for name, v in filled(good[kind] | change).items()}
                record = contract.model_construct(**{**loose, **read})
                unbroken -= {rule for rule in unbroken if _breaks(rule, record)}
        assert not unbroken, kind


def _breaks(rule: Any, record: Any) -> bool:
    return rule.broken_by(record) is not None


_people = st.none() | st.lists(st.sampled_from(["a1", "a2", "a3"]), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    decided_by=_people,
    present=_people,
    recused=_people,
    dissent_by=_people,
    quorum=st.none() | st.integers(0, 4),
    decision_kind=st.sampled_from(["meeting", "chairs_action"]),
)
def test_a_rule_between_lists_of_people_judges_a_record_and_a_row_alike(
    **lists_and_more: Any,
) -> None:
    record = Decision.model_construct(
        **(dict.fromkeys(Decision.model_fields) | lists_and_more | {"meeting_id": None})
    )
    lists = dict.fromkeys(("decided_by", "present", "recused", "dissent_by"), pl.List(pl.String))
    schema: dict[str, Any] = lists | {"quorum": pl.Int64, "decision_kind": pl.String}
    frame = pl.DataFrame([{name: lists_and_more[name] for name in schema}], schema=schema)
    for rule in Decision.rules:
        if isinstance(rule, Apart | Within | ExactlyOne | Reaches):
            assert frame.select(rule.holds()).item() is (rule.broken_by(record) is None), rule
