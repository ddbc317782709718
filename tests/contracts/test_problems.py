"""What is wrong is said in plain words, by a stable code, and shows no personal value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.contracts import CONTRACTS
from pipelines.contracts.problems import Problem, describe, in_one_line, mask, problems
from pipelines.contracts.schema import columns


def found(kind: str, record: dict[str, Any]) -> list[Problem]:
    contract = CONTRACTS[kind]
    with pytest.raises(ValidationError) as caught:
        contract.model_validate(
            {name: value for name, value in record.items() if value is not None}
        )
    return problems(contract, caught.value)


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("exam_result", "task_id", None, "missing"),
        ("exam_result", "result_status", "scord", "not_in_list"),
        ("exam_result", "score", "abc", "not_a_number"),
        ("exam_result", "score", "1_000", "not_a_number"),
        ("exam_result", "score", "nan", "not_a_number"),
        ("exam_result", "score", "1.1234567", "too_many_digits"),
        ("exam_result", "attempt", "1.5", "not_a_whole_number"),
        ("exam_result", "attempt", "-1", "out_of_range"),
        ("exam_result", "attempt", True, "not_a_number"),
        ("exam_result", "occurred_at", "yesterday", "not_a_time"),
        ("exam_result", "occurred_at", "1700000000", "not_a_time"),
        ("exam_result", "occurred_at", 1700000000, "not_a_time"),
        ("exam_result", "occurred_at", "2026-13-01T00:00:00Z", "not_a_time"),
        ("exam_result", "occurred_at", "2026-03-01T09:00:00", "no_time_zone"),
        ("exam_result", "occurred_at", "2026-03-01", "no_time_zone"),
        ("exam_result", "occurred_at", "0202-03-01T09:00:00Z", "implausible_year"),
        ("exam_result", "is_banked", "perhaps", "not_yes_or_no"),
        ("exam_result", "task_id", "x" * 201, "too_long"),
        ("exam_result", "task_id", "", "empty"),
        ("exam_result", "task_id", " t1", "bad_identifier"),
        ("exam_result", "task_id", "a\nb", "bad_identifier"),
        ("exam_result", "task_id", 7, "not_text"),
        ("exam_result", "colour", "red", "unknown_field"),
        ("ai_use_declaration", "ai_probability", "0.93", "detector_score"),
        ("ai_use_declaration", "tools", "a tool", "not_a_list"),
        ("ai_use_declaration", "tools", '["a tool"]', "not_an_object"),
        ("ai_use_declaration", "purposes", '["' + '","'.join("abc" * 34) + '"]', "too_many_items"),
        ("learner", "entered_on", "01.09.2024", "not_a_date"),
        ("learner", "entered_on", "44561", "not_a_date"),
        ("learner", "entered_on", "2023-02-29", "not_a_date"),
    ],
)
def test_each_slip_has_its_code(
    kind: str, field: str, value: Any, code: str, good: dict[str, dict[str, Any]]
) -> None:
    (problem,) = found(kind, good[kind] | {field: value})
    assert (problem.code, problem.field.split(".")[0]) == (code, field)
    assert problem.message
    assert problem.suggestion


def test_the_nearest_allowed_value_is_suggested(good: dict[str, dict[str, Any]]) -> None:
    (problem,) = found("exam_result", good["exam_result"] | {"result_status": "Scord"})
    assert problem.suggestion.startswith("did you mean scored or not_scored? use one")


def test_problems_come_in_the_order_of_the_fields(good: dict[str, dict[str, Any]]) -> None:
    broken = good["exam_result"] | {"score": "abc", "task_id": None, "occurred_at": "x"}
    assert [p.field for p in found("exam_result", broken)] == ["task_id", "score", "occurred_at"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("61.5", "61.5"),
        ("2026-03-01", "2026-03-01"),
        ("01.03.2026 10:15", "01.03.2026 10:15"),
        ("1234567", "1•••••7"),
        ("Exceeds expectations", "E•••••• •••••••••••s"),
        ("abc", "•••"),
        ("a\nb c", "a•• c"),
        ("x" * 90, "x" + "•" * 38 + "…"),
        (None, None),
    ],
)
def test_only_short_numbers_and_dates_are_shown(value: str | None, shown: str | None) -> None:
    assert mask(value, personal=False) == shown


def test_a_personal_value_shows_nothing_but_its_length() -> None:
    assert mask("42", personal=True) == "(2 characters)"


def test_no_problem_of_a_personal_field_holds_its_value() -> None:
    canary = "Canary-Wren-77"
    for contract in CONTRACTS.values():
        for column in columns(contract):
            if column.is_personal:
                for code in ("not_in_list", "not_a_date", "bad_identifier", "unknown_label"):
                    problem = describe(code, column.name, contract=contract, value=canary)
                    assert "Canary" not in repr(problem)
                    assert "77" not in repr(problem)


def test_a_value_in_an_unknown_field_is_never_repeated(good: dict[str, dict[str, Any]]) -> None:
    broken = good["exam_result"] | {"Canary Wren <x@example.org>": "Canary"}
    assert "Canary" not in repr(found("exam_result", broken))


@pytest.mark.parametrize("sentence", ["The file is empty", "The file is empty."])
def test_sentences_behind_one_another_have_one_full_stop(sentence: str) -> None:
    assert in_one_line(sentence, None, "Send it again") == "The file is empty. Send it again"
