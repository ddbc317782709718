"""What was refused is settled when its source sends the record again, and it is good."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from pipelines.intake.quarantine import causes, settled, show
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.load import load

Make = Callable[..., Any]
Row = dict[str, Any]


def deliver(school: Any, day: int, rows: list[Row]) -> None:
    path = school.drop("exams", f"{day}.jsonl", rows)
    sent = {"sent_at": datetime(2026, 1, day, 12, tzinfo=UTC).isoformat()}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(sent))
    school.take_in()


@pytest.fixture
def make(new_school: Make, new_feed: Make) -> Callable[[], Any]:
    """Return a function that makes schools with one source, whose deliveries are dated."""

    def made() -> Any:
        return new_school(new_feed("exams", known_at_from_manifest=True))

    return made


def in_raw(school: Any) -> tuple[dict[str, int], int]:
    """Load, and return the outcomes and how many refusals are open."""
    report = load(school.home, school.settings)
    return report.outcomes, report.refused


def outcomes(school: Any) -> dict[str, int]:
    """Return the outcomes of all deliveries, having seen that each balances."""
    for entry in school.ledger():
        told = (entry.accepted, entry.duplicate, entry.superseded, entry.voided, entry.quarantined)
        assert sum(told) == entry.rows_read
        assert sum(entry.reasons.values()) == entry.quarantined
    return {name: n for name, n in school.totals().items() if n and name != "rows_read"}


def test_a_refusal_is_settled_when_a_later_delivery_brings_the_record_right(
    make: Make, result_row: Make
) -> None:
    school = make()
    deliver(school, 2, [result_row("r1", score="many"), result_row("r2", score="few")])
    assert outcomes(school) == {"quarantined": 2}
    deliver(school, 3, [result_row("r1")])
    assert outcomes(school) == {"accepted": 1, "superseded": 1, "quarantined": 1}
    assert in_raw(school) == ({"accepted": 1}, 1)
    (cause,) = causes(school.home)
    assert cause.n_records == 1
    assert [record.source_row for record in show(school.home)] == [2]
    assert [record.source_row for record in show(school.home, waiting=False)] == [2]
    (told,) = settled(school.home)
    assert (told.source, told.kind, told.n_records) == ("exams", "exam_result", 1)
    assert told.settled_by == school.ledger()[-1].delivery_id
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        counted = con.execute(
            "select n_refused, n_replayed from raw.intake_record order by known_at"
        ).fetchall()
    assert counted == [(1, 1), (0, 0)]


def test_a_good_record_settles_nothing_that_was_refused_after_it(
    make: Make, result_row: Make
) -> None:
    school = make()
    deliver(school, 2, [result_row("r1")])
    deliver(school, 3, [result_row("r1", score="many"), result_row("r1", learner_id="")])
    assert outcomes(school) == {"accepted": 1, "quarantined": 2}
    assert in_raw(school) == ({"accepted": 1}, 2)
    assert settled(school.home) == []


def test_another_record_or_another_kind_settles_nothing(make: Make, result_row: Make) -> None:
    school = make()
    deliver(school, 2, [result_row("r1", score="many")])
    deliver(school, 3, [result_row("r2"), result_row("r1", programme_id="DENT")])
    assert outcomes(school) == {"accepted": 2, "quarantined": 1}
    assert in_raw(school)[1] == 1


def test_the_order_of_processing_does_not_matter_to_what_is_settled(
    make: Make, result_row: Make
) -> None:
    deliveries = {
        2: [result_row("r1", score="many")],
        3: [result_row("r1"), result_row("r2", score="few")],
        4: [result_row("r2"), result_row("r1", score="some")],
    }
    found = set()
    for order in permutations(deliveries):
        school = make()
        for day in order:
            deliver(school, day, deliveries[day])
            in_raw(school)
        with open_warehouse(school.home, school.settings, read_only=True) as con:
            told = (
                "select delivery_id, record_id, present_outcome from raw.exam_result order by all",
                "select delivery_id, source_row, is_open from raw.refused order by all",
                "select delivery_id, n_refused, n_replayed from raw.intake_record order by all",
            )
            found.add(tuple(tuple(con.execute(query).fetchall()) for query in told))
        assert outcomes(school) == {"accepted": 2, "superseded": 2, "quarantined": 1}
    assert len(found) == 1
