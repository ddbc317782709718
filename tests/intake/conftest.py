"""A small school whose deliveries are JSON Lines that hold contract fields, read without specs."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import count, starmap
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home
from pipelines.identity.pseudonyms import Folding, Namespace
from pipelines.intake import ledger, read, receive, segment, validate, workers
from pipelines.intake.feeds import Feed, Feeds, load_feeds, source_of
from pipelines.intake.records import IntakeRecord, first_receipt, interpretation_folder
from pipelines.intake.staging import NOTE, PROBLEM, Staging
from pipelines.settings import Settings

Row = dict[str, Any]
OLD = 1_700_000_000


def feed(source_id: str, interpretation_id: str = "aaaabbbbcccc", **changes: Any) -> Feed:
    """Return a source that takes every JSON Lines file of its folder."""
    return Feed(
        source_id=source_id,
        owner=f"owner_of_{source_id}",
        interpretation_id=interpretation_id,
        inbox_folder=source_id,
        takes=lambda file: fnmatchcase(file, f"{source_id}/*.jsonl"),
        namespace=changes.pop("namespace", Namespace("numbers", Folding(fold_case=True))),
        record_scope=changes.pop("record_scope", "scope"),
        **changes,
    )


class School:
    """A home with its sources, and every stage at hand."""

    def __init__(self, root: Path, feeds: Iterable[Feed]) -> None:
        self.home = Home.open(root)
        self.settings = Settings(home=root, workers=1)
        self.feeds: Feeds = {item.source_id: item for item in feeds}

    def drop(self, source: str, name: str, rows: Iterable[Row]) -> Path:
        """Put a file into the inbox that was written long ago."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        return self.drop_bytes(source, name, text.encode())

    def drop_bytes(self, source: str, name: str, content: bytes) -> Path:
        path = self.home.inbox / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (OLD, OLD))
        return path

    def receive(self, **options: Any) -> receive.ReceiveReport:
        return receive.receive(self.home, self.settings, feeds=self.feeds, settle=0, **options)

    def staging(self, delivery_id: str) -> Staging:
        interpretation_id = self.feeds[source_of(delivery_id)].interpretation_id
        return Staging.of(self.home, delivery_id, interpretation_id)

    def read(self, delivery_id: str) -> None:
        """Stage what the delivery holds, as the read stage would."""
        archived = receive.archive_path(
            self.home, first_receipt(self.home, delivery_id).sha256 or ""
        )
        staging = self.staging(delivery_id)
        staging.read.mkdir(parents=True, exist_ok=True)
        lines = archived.read_text().splitlines()
        if lines and lines[0] == "unreadable":
            error = {"code": "not_text", "message": "Not text.", "suggestion": "Send it again."}
            report = {"readable": False, "error": error, "source_rows": 0}
            staging.read_report.write_text(json.dumps(report))
            return
        stage(staging.read, [json.loads(line) for line in lines])

    def validate(self, delivery_id: str) -> validate.ValidateReport:
        return validate.validate(self.home, self.settings, delivery_id, feeds=self.feeds)

    def check(self, delivery_id: str, verdict: str = "pass") -> None:
        hold = {"rule": "volume", "reason": "far too few rows", "owner": "assessment_unit"}
        self.staging(delivery_id).check.write_text(
            json.dumps(
                {"verdict": verdict, "results": [], "hold": hold if verdict == "hold" else None}
            )
        )

    def commit(self, delivery_id: str) -> IntakeRecord:
        return segment.commit(self.home, self.settings, delivery_id, feeds=self.feeds)

    def take_in(self, verdict: str = "pass") -> list[IntakeRecord]:
        """Receive what is new and bring it into the log."""
        records = []
        for delivery_id in self.receive().pending:
            self.read(delivery_id)
            self.validate(delivery_id)
            self.check(delivery_id, verdict)
            records.append(self.commit(delivery_id))
        return records

    def ledger(self) -> list[ledger.LedgerEntry]:
        return ledger.ledger(self.home)

    def totals(self) -> Counter[str]:
        """Return rows read and every outcome over all deliveries."""
        totals: Counter[str] = Counter()
        for entry in self.ledger():
            for name in ("rows_read", "accepted", "duplicate", "superseded", "voided"):
                totals[name] += getattr(entry, name)
            totals["quarantined"] += entry.quarantined
        return totals

    def segment(self, record: IntakeRecord, name: str) -> pl.DataFrame:
        """Return a file of a committed interpretation."""
        folder = interpretation_folder(self.home, record.delivery_id, record.interpretation_id)
        return pl.read_parquet(folder / f"{name}.parquet")


def stage(read: Path, rows: list[Row]) -> None:
    """Write a read staging folder of rows that hold `kind` and contract fields."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows, start=1):
        by_kind[row["kind"]].append({"source_row": number, **row})
    for kind, of_kind in by_kind.items():
        schema: dict[str, Any] = {"source_row": pl.Int64, "source_cell": pl.String}
        schema |= {column.name: pl.String for column in columns(CONTRACTS[kind])}
        schema |= {"problems": pl.List(PROBLEM), "notes": pl.List(NOTE), "row_known_at": pl.String}
        texts = [
            {name: as_text(row.get(name), keep=schema[name] != pl.String) for name in schema}
            for row in of_kind
        ]
        pl.DataFrame(texts, schema=schema).write_parquet(read / f"records-{kind}-0.parquet")
    pl.DataFrame(
        {
            "source_row": range(1, len(rows) + 1),
            "line": [json.dumps(row) for row in rows],
        },
        schema={"source_row": pl.Int64, "line": pl.String},
    ).write_parquet(read / "source-0.parquet")
    report = {
        "readable": True,
        "error": None,
        "source_rows": len(rows),
        "records": {kind: len(of_kind) for kind, of_kind in by_kind.items()},
    }
    (read / "read.json").write_text(json.dumps(report))


def as_text(value: Any, *, keep: bool) -> Any:
    """Return a field as the read stage writes it."""
    if keep or value is None or isinstance(value, str):
        return value
    return json.dumps(value)


@pytest.fixture(scope="session")
def new_school(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., School]:
    """Return a function that makes schools, each with a home of its own."""
    numbers = count()

    def make(*feeds: Feed) -> School:
        root = tmp_path_factory.mktemp("school") / str(next(numbers))
        return School(root, feeds or (feed("forms"), feed("exams")))

    return make


@pytest.fixture
def school(new_school: Callable[..., School]) -> School:
    """Return a school with the sources forms and exams."""
    return new_school()


@pytest.fixture(scope="session")
def new_feed() -> Callable[..., Feed]:
    """Return a function that makes sources."""
    return feed


@pytest.fixture(scope="session")
def result_row() -> Callable[..., Row]:
    """Return a function that makes exam results."""

    def make(record_id: str = "r1", **changes: Any) -> Row:
        return {
            "kind": "exam_result",
            "programme_id": "MED",
            "record_id": record_id,
            "learner_id": "s1",
            "task_id": "t1",
            "sitting_id": "2026-1",
            "instrument_id": "mcq",
            "result_status": "scored",
            "score": "61.5",
            "max_score": "100",
            "occurred_at": "2026-03-01T09:00:00Z",
        } | changes

    return make


FORMS = """
source: forms
title: Forms of a made-up school
owner: assessment_unit
files: ["*.csv"]
reader: {name: delimited}
time_zone: Europe/Vienna
person_namespace: numbers
values: {programme_id: MED}
records:
  - kind: workplace_assessment
    record_id: {column: Form}
    fields:
      learner_id: Student
      instrument_id: {value: mini_cex}
      competency_id: EPA
      level: {column: Rating, scale: entrustment_5}
      assessor_id: {column: Assessor, optional: true}
      observed_at: {column: Observed, format: "%d.%m.%Y"}
      narrative_strengths: {column: Comment, optional: true}
"""
ROSTER = """
source: roster
title: Roster of a made-up school
owner: registry
files: ["*.csv"]
reader: {name: delimited}
time_zone: Europe/Vienna
person_namespace: numbers
values: {programme_id: MED}
records:
  - kind: learner
    record_id: {column: Student}
    fields:
      learner_id: Student
      given_name: {column: Given, optional: true}
      family_name: {column: Family, optional: true}
      other_ids: {column: Other, optional: true, split: ";"}
"""


class Clinic:
    """A home whose sources are specs in a site folder, with the stages as a run calls them."""

    def __init__(self, root: Path) -> None:
        self.site = root / "site"
        (self.site / "sources").mkdir(parents=True)
        self.spec("forms", FORMS)
        self.home = Home.open(root / "home")
        self.settings = Settings(home=self.home.root, site=self.site, workers=1)

    def spec(self, name: str, text: str) -> None:
        (self.site / "sources" / f"{name}.yaml").write_text(text)

    def drop(self, source: str, name: str, text: str) -> None:
        path = self.home.inbox / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (OLD, OLD))

    def take_in(self) -> list[IntakeRecord]:
        """Receive what is new and bring all that waits to be read into the log."""
        feeds = load_feeds(self.settings)
        pending = receive.receive(self.home, self.settings, settle=0, feeds=feeds).pending
        records = []
        for delivery_id in pending:
            read.read(self.home, self.settings, delivery_id)
            validate.validate(self.home, self.settings, delivery_id)
            interpretation_id = feeds[source_of(delivery_id)].interpretation_id
            staging = Staging.of(self.home, delivery_id, interpretation_id)
            staging.check.write_text(json.dumps({"verdict": "pass", "results": [], "hold": None}))
            records.append(segment.commit(self.home, self.settings, delivery_id))
        return records

    def totals(self) -> dict[str, int]:
        """Return every outcome over all deliveries, having seen that each balances."""
        totals: Counter[str] = Counter()
        for entry in ledger.ledger(self.home):
            outcomes = {
                name: getattr(entry, name)
                for name in ("accepted", "duplicate", "superseded", "voided", "quarantined")
            }
            assert sum(outcomes.values()) == entry.rows_read
            totals.update(outcomes)
        return {name: n for name, n in totals.items() if n}


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    """Return a home whose forms are read by a spec."""
    return Clinic(tmp_path)


@pytest.fixture(scope="session")
def roster_spec() -> str:
    """Return the spec of a roster in the name space of the forms."""
    return ROSTER


@pytest.fixture
def workers_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process do what workers would do."""

    def in_process(
        work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], _workers: int
    ) -> Iterator[Any]:
        return starmap(work, tasks)

    monkeypatch.setattr(workers, "each", in_process)
