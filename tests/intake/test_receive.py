"""Everything in the inbox ends as a receipt, once, with a plain reason where it is not taken in."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import HomeError
from pipelines.intake import receive as receiving
from pipelines.intake.receive import INCOMING, archive_path
from pipelines.intake.records import deliveries, first_receipt, receipts

Make = Callable[..., Any]


def codes(school: Any) -> list[str | None]:
    return [receipt.code for receipt in receipts(school.home)]


def test_a_file_is_archived_unchanged_and_gets_a_receipt(school: Any) -> None:
    content = b'{"a": "\xc3\xa9"}\r\n\x00'
    school.drop_bytes("forms", "a.jsonl", content)
    report = school.receive()
    sha256 = hashlib.sha256(content).hexdigest()
    assert report.received == report.pending == [f"forms-{sha256[:16]}"]
    assert archive_path(school.home, sha256).read_bytes() == content
    receipt = first_receipt(school.home, report.received[0])
    assert (receipt.file, receipt.bytes, receipt.sha256) == ("forms/a.jsonl", len(content), sha256)
    assert (school.home.inbox / "forms" / "a.jsonl").read_bytes() == content


def test_an_unchanged_inbox_is_nothing_new(school: Any, result_row: Make) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    school.drop_bytes("exams", "b.xlsx", b"what")
    school.drop_bytes("nowhere", "c.jsonl", b"what")
    school.take_in()
    before = sorted(path for path in school.home.log.rglob("*"))
    report = school.receive()
    assert report.is_nothing_new
    assert report.n_files == 3
    assert sorted(path for path in school.home.log.rglob("*")) == before


def test_the_same_bytes_again_are_a_new_receipt_and_no_new_delivery(
    school: Any, result_row: Make
) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    school.take_in()
    school.drop("exams", "again.jsonl", [result_row()])
    report = school.receive()
    assert report.pending == []
    assert len(list(receipts(school.home))) == 2
    assert len(deliveries(school.home)) == 1
    (entry,) = school.ledger()
    assert (entry.arrivals, entry.accepted, entry.duplicate) == (2, 1, 0)


def test_the_same_file_touched_again_is_another_arrival(school: Any, result_row: Make) -> None:
    path = school.drop("exams", "a.jsonl", [result_row()])
    school.receive()
    os.utime(path, (1_800_000_000, 1_800_000_000))
    school.receive()
    assert len(list(receipts(school.home))) == 2


def test_a_file_that_nothing_has_changed_is_not_read_again(
    school: Any, result_row: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    school.receive()
    monkeypatch.setattr(hashlib, "sha256", None)
    assert school.receive().received == []
    assert len(list(receipts(school.home))) == 1


def test_other_bytes_behind_the_same_size_and_time_are_another_delivery(school: Any) -> None:
    path = school.drop_bytes("forms", "a.jsonl", b"one")
    school.receive()
    before = path.stat()
    time.sleep(0.01)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(school.receive().received) == 1
    assert len(deliveries(school.home)) == 2


def test_the_same_bytes_of_two_sources_are_two_deliveries(school: Any) -> None:
    for source in ("forms", "exams"):
        school.drop_bytes(source, "a.jsonl", b"{}\n")
    assert len(school.receive().received) == 2


@pytest.mark.parametrize(
    ("where", "content", "status", "code"),
    [
        ("nowhere/a.jsonl", b"x", "refused", "unknown_source"),
        ("a.jsonl", b"x", "refused", "unknown_source"),
        ("forms/a.xlsx", b"x", "refused", "unexpected_file"),
        ("forms/a.jsonl", b"", "refused", "empty_file"),
        ("forms/a.jsonl.part", b"x", "incomplete", "half_written"),
        ("forms/a.tmp", b"x", "incomplete", "half_written"),
        ("forms/a.jsonl.filepart", b"x", "incomplete", "half_written"),
        ("forms/a.jsonl~", b"x", "incomplete", "half_written"),
    ],
)
def test_what_cannot_be_taken_in_is_in_the_ledger_with_its_reason(
    school: Any, where: str, content: bytes, status: str, code: str
) -> None:
    path = school.home.inbox / where
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    report = school.receive()
    assert report.received == report.pending == []
    assert len(report.not_received) == 1
    (entry,) = school.ledger()
    assert (entry.status, list(entry.reasons), entry.file) == (status, [code], where)
    assert entry.needs_a_person
    assert entry.reason
    assert entry.owner
    assert not list(school.home.archive.rglob("*.*"))


def test_an_upload_that_became_whole_no_longer_waits(school: Any, result_row: Make) -> None:
    part = school.drop("exams", "a.jsonl.part", [result_row()])
    school.receive()
    part.rename(part.with_suffix(""))
    school.take_in()
    (entry,) = school.ledger()
    assert (entry.file, entry.status) == ("exams/a.jsonl", "committed")
    assert len(list(receipts(school.home))) == 2


def test_a_file_that_grows_while_it_is_hashed_waits(
    school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = school.drop_bytes("forms", "a.jsonl", b"first\n")

    def grow(_file: str, _done: int, _size: int) -> None:
        with path.open("ab") as file:
            file.write(b"more\n")

    school.receive(progress=grow)
    assert codes(school) == ["still_growing"]
    report = school.receive()
    assert len(report.received) == 1


def test_hidden_files_are_left_alone(school: Any) -> None:
    school.drop_bytes("forms", ".hidden", b"x")
    assert school.receive().n_files == 0


def test_hashing_reports_its_progress(school: Any) -> None:
    school.drop_bytes("forms", "a.jsonl", b"x" * 10)
    seen: list[tuple[str, int, int]] = []
    school.receive(progress=lambda *step: seen.append(step))
    assert seen == [("forms/a.jsonl", 10, 10)]


def manifest(path: Path, **content: Any) -> None:
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(content))


def test_a_manifest_tells_when_a_delivery_was_known(
    new_school: Make, new_feed: Make, result_row: Make
) -> None:
    school = new_school(new_feed("exams", known_at_from_manifest=True))
    path = school.drop("exams", "a.jsonl", [result_row()])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest(path, sent_at="2024-05-01T12:00:00+02:00", sha256=sha256, rows=1)
    (record,) = school.take_in()
    assert record.known_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert school.segment(record, "exam_result")["known_at"].to_list() == [record.known_at]


def test_a_file_that_is_not_what_its_manifest_says_waits(school: Any) -> None:
    path = school.drop_bytes("forms", "a.jsonl", b"half")
    manifest(path, sha256="0" * 64)
    assert school.receive().received == []
    assert codes(school) == ["manifest_mismatch"]
    manifest(path, sha256=hashlib.sha256(b"half").hexdigest())
    assert len(school.receive().received) == 1


def test_a_broken_manifest_is_named(school: Any) -> None:
    manifest(school.drop_bytes("forms", "a.jsonl", b"x"), sent_at="noon")
    school.receive()
    assert codes(school) == ["bad_manifest"]


def test_a_source_that_comes_later_takes_what_was_refused(
    school: Any, new_feed: Make, result_row: Make
) -> None:
    school.drop("late", "a.jsonl", [result_row()])
    assert school.take_in() == []
    school.feeds["late"] = new_feed("late")
    assert len(school.take_in()) == 1
    assert [entry.status for entry in school.ledger()] == ["committed"]


def test_a_mended_spec_reads_the_archive_again(
    school: Any, new_feed: Make, result_row: Make
) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    (first,) = school.take_in()
    school.feeds["exams"] = new_feed("exams", interpretation_id="ddddeeeeffff")
    (second,) = school.take_in()
    assert first.interpretation_id != second.interpretation_id
    assert school.totals()["accepted"] == 1


def test_two_writers_are_kept_apart(school: Any) -> None:
    with school.home.writing(), pytest.raises(HomeError, match="another process is writing"):
        school.receive(wait=0)


def test_fresh_files_are_given_time_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(receiving.time, "sleep", waits.append)
    monkeypatch.setattr(receiving.time, "time", lambda: 1000.0)
    fresh = os.stat_result((0, 0, 0, 0, 0, 0, 0, 0, 999.75, 0))
    old = os.stat_result((0, 0, 0, 0, 0, 0, 0, 0, 5, 0))
    receiving._wait_for_writers([old], 1.0)
    assert waits == []
    receiving._wait_for_writers([old, fresh], 1.0)
    assert len(waits) == 1
    assert 0 < waits[0] <= 1


def test_a_file_is_hashed_and_archived_in_one_pass_and_a_kill_leaves_nothing_behind(
    school: Any, result_row: Make
) -> None:
    school.home.archive.mkdir(parents=True, exist_ok=True)
    (school.home.archive / INCOMING).write_bytes(b"left by a kill, and longer than the file" * 99)
    path = school.drop("exams", "a.jsonl", [result_row()])
    school.receive()
    (kept,) = (file for file in school.home.archive.rglob("*") if file.is_file())
    assert kept.read_bytes() == path.read_bytes()
    assert kept.name == hashlib.sha256(path.read_bytes()).hexdigest()


def test_bytes_that_the_archive_lost_are_archived_again(school: Any, result_row: Make) -> None:
    path = school.drop("exams", "a.jsonl", [result_row()])
    school.receive()
    (kept,) = (file for file in school.home.archive.rglob("*") if file.is_file())
    kept.unlink()
    assert school.receive().received == []
    assert kept.read_bytes() == path.read_bytes()


def test_who_asked_is_told_of_a_file_that_was_not_seen_before(
    school: Any, result_row: Make
) -> None:
    path = school.drop("exams", "a.jsonl", [result_row()])
    told: list[int] = []
    school.receive(expect=told.append)
    school.receive(expect=told.append)
    assert told == [path.stat().st_size]


RECEIVE = """
import resource, sys
from pathlib import Path
from pipelines.home import Home
from pipelines.intake.receive import receive
from pipelines.settings import Settings
from tests.intake.conftest import feed

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

root = Path(sys.argv[1])
before = peak()
report = receive(Home.open(root), Settings(), feeds={"forms": feed("forms")})
assert len(report.received) == 1
print(peak() - before)
"""


@pytest.mark.slow
def test_a_large_file_is_archived_in_little_memory(school: Any) -> None:
    size = 512 << 20
    folder = school.home.inbox / "forms"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "large.jsonl").open("wb") as file:
        file.truncate(size)
    os.utime(folder / "large.jsonl", (0, 0))
    told = subprocess.run(
        [sys.executable, "-c", RECEIVE, str(school.home.root)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    ).stdout  # fmt: skip
    assert int(told) < 0.3 * size
