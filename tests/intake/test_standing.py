"""Full snapshots, conflicts, and copies that come to light late: by what was known when."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from pipelines.intake.quarantine import causes, show
from pipelines.intake.receive import MANIFEST_SUFFIX
from pipelines.intake.records import active_records
from pipelines.intake.standing import standing
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.load import load
from tests.intake.test_ledger import balanced, vault_keys

Make = Callable[..., Any]


def sent(school: Any, name: str, day: int, rows: list[Any], *, announce: bool = False) -> None:
    """Put a file of the source exams into the inbox that was sent on a day of March."""
    path = school.drop("exams", f"{name}.jsonl", rows)
    manifest: dict[str, Any] = {"sent_at": f"2026-03-{day:02}T06:00:00Z"}
    if announce:
        manifest["rows"] = len(rows)
    path.with_name(path.name + MANIFEST_SUFFIX).write_text(json.dumps(manifest))


@pytest.fixture
def snapshots(new_school: Make, new_feed: Make) -> Make:
    """Return a function that makes a school whose exams come as full snapshots."""

    def make(**changes: Any) -> Any:
        declared = {"snapshot": "full", "vanished": "withdraw", "known_at_from_manifest": True}
        school = new_school(new_feed("exams", **(declared | changes)))
        vault_keys(school)
        return school

    return make


def loaded(school: Any) -> dict[str, list[str]]:
    """Return the present outcomes of each record, after a load, in order of outcome."""
    load(school.home, school.settings)
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        rows = con.execute(
            "select record_id, list(present_outcome order by present_outcome) "
            "from raw.exam_result group by record_id"
        ).fetchall()
    return dict(rows)


def noted(school: Any) -> list[tuple[str, str]]:
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        return con.execute("select code, detail from raw.note order by all").fetchall()


def standing_scores(school: Any) -> dict[str, float]:
    load(school.home, school.settings)
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        rows = con.execute(
            "select record_id, score::double from raw.exam_result "
            "where present_outcome = 'accepted'"
        ).fetchall()
    return dict(rows)


@pytest.mark.slow
@pytest.mark.parametrize(("vanished", "outcome"), [("keep", "accepted"), ("withdraw", "voided")])
def test_a_record_that_the_newest_snapshot_lacks_is_reported_and_treated_as_declared(
    snapshots: Make, result_row: Make, vanished: str, outcome: str
) -> None:
    school = snapshots(vanished=vanished)
    sent(school, "a", 1, [result_row("r1"), result_row("r2"), result_row("r3")])
    sent(school, "b", 2, [result_row("r1"), result_row("r2")])
    school.take_in()
    assert loaded(school)["r3"] == [outcome]
    assert noted(school) == [
        ("vanished", "the full snapshot of 2026-03-02 lacks the record, which one before it had")
    ]
    first, second = school.ledger()
    assert (first.vanished, second.vanished) == (1, 0)
    assert getattr(first, outcome) >= 1
    assert balanced(school)


def test_a_record_that_comes_back_stands_again(snapshots: Make, result_row: Make) -> None:
    school = snapshots()
    sent(school, "a", 1, [result_row("r1"), result_row("r2")])
    sent(school, "b", 2, [result_row("r1"), result_row("r1")])
    sent(school, "c", 3, [result_row("r2"), result_row("r1")])
    school.take_in()
    assert loaded(school)["r2"] == ["accepted", "duplicate"]
    assert noted(school) == []


def test_an_identical_snapshot_that_comes_again_says_that_it_still_is_so(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots()
    whole = [result_row("r1", score="1"), result_row("r2")]
    sent(school, "a", 1, whole)
    sent(school, "b", 2, [result_row("r1", score="2"), result_row("r3")])
    school.take_in()
    assert standing_scores(school) == {"r1": 2, "r3": 61.5}
    sent(school, "c", 3, whole)
    school.take_in()
    assert standing_scores(school) == {"r1": 1, "r2": 61.5}
    entry = next(entry for entry in school.ledger() if entry.arrivals == 2)
    assert (entry.accepted, entry.superseded) == (2, 0)
    assert balanced(school)


@pytest.mark.slow
def test_a_snapshot_counts_by_when_it_was_known_and_not_by_when_it_was_worked_through(
    snapshots: Make, result_row: Make
) -> None:
    files = {
        "a": (1, [result_row("r1", score="1"), result_row("r2"), result_row("r4")]),
        "b": (2, [result_row("r1", score="2"), result_row("r3")]),
        "c": (3, [result_row("r1", score="1"), result_row("r2"), result_row("r4")]),
        "d": (4, [result_row("r1", score="3"), result_row("r2", score="x")]),
        "e": (5, [result_row("r5")]),
    }
    found = set()
    for order in ("abcde", "edcba", "cabed", "daceb", "becad"):
        school = snapshots(min_snapshot_share=0.6)
        for name in order:
            sent(school, name, *files[name])
            school.take_in()
        assert balanced(school)
        found.add(tuple(sorted(standing_scores(school).items())))
        assert load(school.home, school.settings).is_unchanged
    # e is too short; d still lists r2, whose row cannot be read, so that what was known stays
    assert found == {(("r1", 3.0), ("r2", 61.5))}


@pytest.mark.slow
def test_loading_after_each_delivery_equals_loading_once(snapshots: Make, result_row: Make) -> None:
    hashes = []
    for at_once in (True, False):
        school = snapshots()
        for day, rows in enumerate(
            (
                [result_row("r1"), result_row("r2")],
                [result_row("r1", score="5"), result_row("r3")],
                [result_row("r1"), result_row("r2")],
                [result_row("r1")],
            ),
            start=1,
        ):
            sent(school, f"f{day}", day, rows)
            school.take_in()
            if not at_once:
                load(school.home, school.settings)
        load(school.home, school.settings)
        with open_warehouse(school.home, school.settings, read_only=True) as con:
            hashes.append([table_hash(con, f"raw.{t}") for t in ("exam_result", "note", "refused")])
    assert hashes[0] == hashes[1]


def test_a_suspiciously_short_snapshot_is_held_with_its_reason_and_replaces_nothing(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots(min_snapshot_share=0.6)
    sent(school, "a", 1, [result_row(f"r{n}") for n in range(10)])
    sent(school, "b", 2, [result_row("r0", score="1"), result_row("r1")])
    school.take_in()
    assert sum(outcome == ["accepted"] for outcome in loaded(school).values()) == 10
    _, short = school.ledger()
    assert (short.status, short.quarantined, short.reasons) == ("held", 2, {"short_snapshot": 2})
    assert "the snapshot has 2 records, the one of 2026-03-01" in str(short.reason)
    assert "at least 60% of them are expected" in str(short.reason)
    cause = next(cause for cause in causes(school.home) if cause.field == "delivery.snapshot_size")
    assert cause.n_records == 2
    assert balanced(school)


@pytest.mark.slow
def test_a_short_snapshot_that_was_worked_through_first_is_held_when_the_whole_one_comes_to_light(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots(min_snapshot_share=0.6)
    sent(school, "b", 2, [result_row("r0", score="1")])
    school.take_in()
    assert loaded(school) == {"r0": ["accepted"]}
    sent(school, "a", 1, [result_row(f"r{n}") for n in range(10)])
    school.take_in()
    assert loaded(school)["r0"] == ["accepted"]
    assert {entry.status for entry in school.ledger()} == {"committed", "held"}


def test_a_manifest_that_announces_the_rows_vouches_for_a_short_snapshot(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots(min_snapshot_share=0.6)
    sent(school, "a", 1, [result_row(f"r{n}") for n in range(10)])
    sent(school, "b", 2, [result_row("r0")])
    school.take_in()
    assert school.ledger()[1].status == "held"
    sent(school, "b", 3, [result_row("r0")], announce=True)
    school.take_in()
    assert school.ledger()[1].status == "committed"
    assert sum(outcome == ["voided"] for outcome in loaded(school).values()) == 9


def test_a_refused_row_of_a_snapshot_still_says_that_there_is_such_a_record(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots()
    sent(school, "a", 1, [result_row("r1"), result_row("r2")])
    sent(school, "b", 2, [result_row("r1"), result_row("r2", score="x")])
    school.take_in()
    assert loaded(school)["r2"] == ["accepted"]


def test_a_snapshot_with_a_row_that_nobody_can_tell_withdraws_nothing(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots()
    sent(school, "a", 1, [result_row("r1"), result_row("r2")])
    sent(school, "b", 2, [result_row("r1"), result_row(None)])
    school.take_in()
    assert loaded(school)["r2"] == ["accepted"]
    assert active_records(school.home)[0].nameless + active_records(school.home)[1].nameless == 1


@pytest.mark.slow
def test_what_was_known_by_a_day_leaves_later_snapshots_out(
    snapshots: Make, result_row: Make
) -> None:
    from datetime import UTC, datetime

    school = snapshots()
    sent(school, "a", 1, [result_row("r1"), result_row("r2")])
    sent(school, "b", 2, [result_row("r1"), result_row("r3")])
    school.take_in()
    load(school.home, school.settings, known_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        rows = con.execute("select record_id, present_outcome from raw.exam_result").fetchall()
    assert sorted(rows) == [("r1", "accepted"), ("r2", "accepted")]
    assert loaded(school)["r2"] == ["voided"]


def test_an_append_source_withdraws_nothing(snapshots: Make, result_row: Make) -> None:
    school = snapshots(snapshot="append")
    sent(school, "a", 1, [result_row("r1"), result_row("r2")])
    sent(school, "b", 2, [result_row("r1", score="2")])
    school.take_in()
    assert loaded(school) == {"r1": ["accepted", "superseded"], "r2": ["accepted"]}
    assert standing(school.home).registers == ()


@pytest.mark.slow
@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_where_a_record_must_not_change_the_first_stays_and_the_newcomer_is_quarantined(
    snapshots: Make, result_row: Make, order: tuple[str, ...]
) -> None:
    school = snapshots(snapshot="append", on_change="conflict")
    files = {
        "a": (1, [result_row(score="1")]),
        "b": (2, [result_row(score="2")]),
        "c": (3, [result_row(score="1"), result_row("r2")]),
    }
    for name in order:
        sent(school, name, *files[name])
        school.take_in()
    assert standing_scores(school) == {"r1": 1, "r2": 61.5}
    assert loaded(school)["r1"] == ["accepted", "duplicate", "quarantined"]
    newcomer = school.ledger()[1]
    assert (newcomer.quarantined, newcomer.reasons) == (1, {"conflict": 1})
    assert balanced(school)
    (refused,) = show(school.home, code="conflict")
    first = school.ledger()[0].delivery_id
    assert f"row 1 of {first}, which has the same id, came first and stays" in str(refused.problems)
    assert [cause.n_records for cause in causes(school.home) if cause.code == "conflict"] == [1]
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        told = con.execute("select delivery_id, message from raw.refused").fetchall()
    assert told == [(newcomer.delivery_id, refused.problems[0]["message"])]


def test_a_version_that_the_source_itself_numbers_is_a_correction_and_no_conflict(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots(snapshot="append", on_change="conflict")
    rows = [
        result_row(score="1", source_version="1"),
        result_row(score="2", source_version="2"),
        result_row(score="3", source_version="2"),
    ]
    sent(school, "a", 1, rows)
    school.take_in()
    assert loaded(school)["r1"] == ["accepted", "quarantined", "superseded"]
    assert standing_scores(school) == {"r1": 2}


def test_a_copy_that_was_sent_earlier_and_comes_to_light_later_makes_the_delivery_known_earlier(
    snapshots: Make, result_row: Make
) -> None:
    tables = []
    for order in (("late", "early"), ("early", "late")):
        school = snapshots(snapshot="append")
        sent(school, "b", 3, [result_row(score="2")])
        for name in order:
            sent(school, name, {"early": 1, "late": 5}[name], [result_row(score="1")])
            school.take_in()
            load(school.home, school.settings)
        with open_warehouse(school.home, school.settings, read_only=True) as con:
            tables.append(
                con.execute(
                    "select score, known_at, present_outcome from raw.exam_result order by all"
                ).fetchall()
            )
            assert con.execute(
                "select count(*) from raw.identity where known_at < '2026-03-02'"
            ).fetchall() == [(1,)]
        assert [entry.known_at.day for entry in school.ledger()] == [1, 3]
    assert tables[0] == tables[1]
    assert [str(outcome) for *_, outcome in tables[0]] == ["superseded", "accepted"]


def test_a_mended_spec_reads_the_archive_again_and_counts_nothing_twice(
    snapshots: Make, result_row: Make, new_feed: Make
) -> None:
    school = snapshots(snapshot="append")
    sent(school, "a", 1, [result_row("r1"), result_row("r2", score="x")])
    school.take_in()
    assert loaded(school) == {"r1": ["accepted"]}
    school.feeds["exams"] = new_feed(
        "exams", "ddddeeeeffff", known_at_from_manifest=True, on_change="conflict"
    )
    assert len(school.take_in()) == 1
    assert school.take_in() == []
    assert loaded(school) == {"r1": ["accepted"]}
    (entry,) = school.ledger()
    assert (entry.rows_read, entry.accepted, entry.quarantined) == (2, 1, 1)


def test_an_earlier_copy_that_comes_to_light_before_the_commit_makes_no_difference(
    snapshots: Make, result_row: Make
) -> None:
    school = snapshots(snapshot="append")
    sent(school, "late", 5, [result_row(score="1")])
    (delivery_id,) = school.receive().pending
    school.read(delivery_id)
    school.validate(delivery_id)
    sent(school, "early", 1, [result_row(score="1")])
    school.receive()
    school.check(delivery_id)
    school.commit(delivery_id)
    load(school.home, school.settings)
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        known = con.execute("select distinct known_at from raw.exam_result").fetchall()
    assert [moment.day for (moment,) in known] == [1]
