"""What was refused is grouped by cause and shown with its original."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.intake.quarantine import causes, show

Make = Callable[..., Any]


@pytest.fixture
def stuck(school: Any, result_row: Make) -> Any:
    """Return a school with refused records, a held delivery and a file that was not taken in."""
    rows = [result_row("ok"), result_row("b1", score="=1+1"), result_row("b2", score="y")]
    school.drop("exams", "a.jsonl", [*rows, result_row("b3", task_id=None, score="=2")])
    school.take_in()
    school.drop("forms", "held.jsonl", [result_row("h1")])
    school.take_in(verdict="hold")
    school.drop_bytes("nowhere", "x.csv", b"x")
    school.receive()
    return school


def test_causes_carry_counts_and_owner(stuck: Any) -> None:
    found = [(c.source, c.code, c.field, c.n_records, c.owner) for c in causes(stuck.home)]
    assert found == [
        ("exams", "not_a_number", "score", 2, "owner_of_exams"),
        ("exams", "missing", "task_id", 1, "owner_of_exams"),
        ("forms", "held", "volume", 1, "assessment_unit"),
        (None, "unknown_source", None, 0, "assessment_unit"),
    ]


def test_an_empty_home_waits_for_nobody(school: Any) -> None:
    assert causes(school.home) == []
    assert list(show(school.home)) == []


def test_a_refused_record_is_shown_with_its_original(stuck: Any) -> None:
    (record,) = show(stuck.home, code="missing")
    assert (record.source_row, [p["code"] for p in record.problems]) == (
        4,
        ["missing", "not_a_number"],
    )
    assert record.record is not None
    assert record.record["score"] == "=2"
    assert record.original is not None
    assert '"record_id": "b3"' in record.original["line"]


def test_records_are_found_by_row_and_limited(stuck: Any) -> None:
    delivery_id = next(show(stuck.home)).delivery_id
    assert [r.source_row for r in show(stuck.home, delivery_id=delivery_id, row=3)] == [3]
    assert [r.source_row for r in show(stuck.home, limit=2)] == [2, 3]
