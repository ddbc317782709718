"""What was refused is grouped by cause and shown with its original."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.intake.feeds import load_feeds
from pipelines.intake.ledger import ledger
from pipelines.intake.quarantine import causes, show
from pipelines.intake.read import read
from pipelines.intake.receive import receive
from pipelines.intake.segment import commit
from pipelines.intake.staging import Staging
from pipelines.intake.validate import validate
from pipelines.settings import Settings

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


def test_a_refused_row_of_a_file_with_parts_is_found_by_part_and_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "sources").mkdir(parents=True)
    (site / "sources" / "marks.yaml").write_text(
        "source: marks\ntitle: Marks\nowner: assessment_unit\nfiles: ['*.zip']\n"
        "reader: {name: zip}\ntime_zone: Europe/Vienna\nvalues: {programme_id: MED, task_id: t1, "
        "sitting_id: s1, instrument_id: mcq, occurred_at: 2026-03-01, result_status: scored}\n"
        "records:\n  - kind: exam_result\n    record_id: '{Student}'\n"
        "    fields: {learner_id: Student, score: Points}\n",
        encoding="utf-8",
    )
    home, settings = Home.open(tmp_path / "home"), Settings(home=tmp_path / "home", site=site)
    (home.inbox / "marks").mkdir()
    with zipfile.ZipFile(home.inbox / "marks" / "marks.zip", "w") as archive:
        archive.writestr("spring.csv", "Student,Points\ns1,1\ns2,2\n")
        archive.writestr("autumn.csv", "Student,Points\ns3,3\ns4,four\n")
    feeds = load_feeds(settings)
    (delivery_id,) = receive(home, settings, feeds=feeds, settle=0).pending
    read(home, settings, delivery_id)
    validate(home, settings, delivery_id, feeds=feeds)
    Staging.of(home, delivery_id, feeds["marks"].interpretation_id).check.write_text(
        '{"verdict": "pass"}'
    )
    commit(home, settings, delivery_id, feeds=feeds)
    (refused,) = show(home)
    assert (refused.source_row, refused.where) == (4, "autumn.csv, row 2")
    assert refused.original == {"Student": "s4", "Points": "four"}
    (entry,) = [entry for entry in ledger(home) if entry.delivery_id == delivery_id]
    assert entry.parts == {"spring.csv": 2, "autumn.csv": 2}
