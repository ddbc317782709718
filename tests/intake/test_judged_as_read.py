"""Records of a large file are judged while it is read: nothing else may come of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.home import Home
from pipelines.intake import workers
from pipelines.intake.feeds import Feeds, load_feeds
from pipelines.intake.read import read
from pipelines.intake.receive import receive
from pipelines.intake.staging import Staging
from pipelines.intake.validate import ValidateReport, validate
from pipelines.settings import Settings
from pipelines.sources.readers import delimited

SPEC = """
source: school
title: Results of a made-up school
owner: assessment_unit
files: ["*.csv"]
reader: {name: delimited, encoding: utf-8}
time_zone: Europe/Vienna
values: {programme_id: MED, instrument_id: mcq, task_id: t, sitting_id: s}
records:
  - kind: exam_result
    record_id: "{Student}-{Exam}"
    void: {when: {column: State, is: gone}}
    fields:
      learner_id: Student
      result_status: {value: scored}
      score: Mark
      occurred_at: Day
"""
HEADER = "Student,Exam,Mark,Day,State\n"
STATES = ("", "", "", "", "gone")
ROWS = "".join(
    f"s{n % 17},E{n},{'x' if n % 11 == 0 else n},2024-01-{1 + n % 28:02},{STATES[n % 5]}\n"
    for n in range(300)
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


@pytest.fixture
def settings(home: Home, tmp_path: Path) -> Settings:
    folder = tmp_path / "site" / "sources"
    folder.mkdir(parents=True)
    (folder / "school.yaml").write_text(SPEC, encoding="utf-8")
    return Settings(home=home.root, site=tmp_path / "site", workers=2)


@pytest.fixture
def feeds(settings: Settings) -> Feeds:
    return load_feeds(settings)


@pytest.fixture
def every_file_is_large(monkeypatch: pytest.MonkeyPatch, workers_in_process: None) -> None:
    monkeypatch.setattr(workers, "SMALL", 0)
    monkeypatch.setattr(delimited, "STRETCH_BYTES", 1000)


def delivered(home: Home, settings: Settings, feeds: Feeds, data: bytes) -> tuple[str, Staging]:
    """Receive a file; return its delivery and where work on it lies."""
    path = home.inbox / "school" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    (delivery_id,) = receive(home, settings, feeds=feeds, settle=0).pending
    return delivery_id, Staging.of(home, delivery_id, feeds["school"].interpretation_id)


def staged(staging: Staging, report: ValidateReport) -> dict[str, pl.DataFrame]:
    found = {
        name: pl.read_parquet(path)
        for name, path in (
            ("refused", staging.refused),
            ("notes", staging.notes),
            ("persons", staging.persons),
            ("originals", staging.originals),
        )
    }
    return found | {
        kind: pl.read_parquet(staging.accepted / f"{kind}*.parquet") for kind in report.accepted
    }


def test_what_is_judged_as_it_is_read_is_what_is_judged_afterwards(
    home: Home,
    settings: Settings,
    feeds: Feeds,
    every_file_is_large: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery_id, staging = delivered(home, settings, feeds, (HEADER + ROWS).encode())
    told: list[tuple[int, int]] = []

    at_once = read(home, settings, delivery_id)
    assert staging.judged.is_dir()
    assert list(staging.read.glob("records-*")) == []
    one = validate(
        home,
        settings,
        delivery_id,
        feeds=feeds,
        progress=lambda done, total: told.append((done, total)),
    )
    frames = staged(staging, one)
    assert told == [(300, 300)]
    assert set(one.accepted) == {"exam_result", "void"}
    assert one.refused > 0

    shutil.rmtree(staging.folder)
    monkeypatch.setattr(workers, "SMALL", 1 << 40)
    assert read(home, settings, delivery_id) == at_once
    assert not staging.judged.exists()
    other = validate(home, settings, delivery_id, feeds=feeds)
    assert other == one
    for name, frame in staged(staging, other).items():
        assert_frame_equal(frames[name], frame, check_row_order=False)


def test_a_kill_while_judged_records_are_gathered_costs_nothing(
    home: Home,
    settings: Settings,
    feeds: Feeds,
    every_file_is_large: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery_id, staging = delivered(home, settings, feeds, (HEADER + ROWS).encode())
    read(home, settings, delivery_id)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("_joined", "_persons", "_originals", "write_atomically"):
        with monkeypatch.context() as patch:
            patch.setattr(f"pipelines.intake.validate.{step}", killed)
            with pytest.raises(KeyboardInterrupt):
                validate(home, settings, delivery_id, feeds=feeds)
        assert not staging.validated.exists()
    report = validate(home, settings, delivery_id, feeds=feeds)
    assert sum(report.accepted.values()) + report.refused == report.rows_read == 300
    assert sum(
        frame.height for name, frame in staged(staging, report).items() if name in report.accepted
    ) == sum(report.accepted.values())


def test_a_file_that_turns_out_unreadable_leaves_nothing_judged(
    home: Home, settings: Settings, feeds: Feeds, every_file_is_large: None
) -> None:
    rows = ROWS.encode() + b"s\xff,E,1,2024-01-01,\n"
    delivery_id, staging = delivered(home, settings, feeds, HEADER.encode() + rows)
    assert not read(home, settings, delivery_id).readable
    assert [path.name for path in staging.read.iterdir()] == ["read.json"]
    report = validate(home, settings, delivery_id, feeds=feeds)
    assert (report.accepted, report.refused, report.rows_read) == ({}, 0, 0)


def test_what_was_known_when_records_were_judged_is_what_their_segments_carry(
    home: Home, settings: Settings, feeds: Feeds, every_file_is_large: None
) -> None:
    delivery_id, staging = delivered(home, settings, feeds, (HEADER + ROWS).encode())
    read(home, settings, delivery_id)
    report = validate(home, settings, delivery_id, feeds=feeds)
    carried = pl.read_parquet(staging.accepted / "exam_result*.parquet")["known_at"].unique()
    assert carried.to_list() == [report.known_at]
