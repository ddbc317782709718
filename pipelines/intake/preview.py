"""What would become of the records of a file; nothing is stored."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.contracts.base import Record
from pipelines.contracts.problems import Problem, describe, problems
from pipelines.home import Home
from pipelines.intake.feeds import Feed
from pipelines.intake.receive import receive
from pipelines.intake.staging import Staging
from pipelines.intake.validate import validate
from pipelines.settings import Settings
from pipelines.sources.readers import Unreadable
from pipelines.sources.readers.strict_json import NotJson, parse
from pipelines.sources.standards import Finding, checker

_JSON_LINES = (".jsonl", ".ndjson")


class UnreadableError(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with one record, or nothing."""

    row: int
    problems: list[Problem] = field(default_factory=list)
    cell: str | None = None
    kind: str | None = None
    place: str | None = None
    """Where a person finds the record, in a file that is more than one table of rows."""
    notes: list[Problem] = field(default_factory=list)
    """What is worth knowing of it, and refuses nothing."""
    requirements: dict[Problem, str | None] = field(default_factory=dict)
    """The clause of a standard that asks for what is missing or wrong."""

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as machines read it."""
        given = {"cell": self.cell, "kind": self.kind, "place": self.place}
        verdict: dict[str, Any] = {"row": self.row}
        verdict |= {name: value for name, value in given.items() if value}
        verdict |= {"ok": not self.problems, "errors": self._as_json(self.problems)}
        return verdict | ({"notes": self._as_json(self.notes)} if self.notes else {})

    def _as_json(self, problems: list[Problem]) -> list[dict[str, Any]]:
        return [
            {
                "code": problem.code,
                "field": problem.field or None,
                "message": problem.message,
                "suggestion": problem.suggestion,
                "requirement": self.requirements.get(problem),
            }
            for problem in problems
        ]


def by_standard(name: str, file: Path) -> Iterator[Verdict]:
    """Yield the verdict of a standard on each entry of a file.

    Raises:
        UnreadableError: the file is not of the standard at all.
    """
    try:
        for judgement in checker(name)(file):
            errors = {_problem(error): error.requirement for error in judgement.errors}
            notes = {_problem(note): note.requirement for note in judgement.notes}
            yield Verdict(
                judgement.row,
                list(errors),
                place=judgement.place,
                notes=list(notes),
                requirements=errors | notes,
            )
    except Unreadable as error:
        raise UnreadableError(f"{error.message} {error.suggestion} [{error.code}]") from None


def _problem(finding: Finding) -> Problem:
    return Problem(finding.code, finding.field, finding.message, finding.suggestion)


def by_contract(contract: type[Record], file: Path) -> Iterator[Verdict]:
    """Yield the verdict on each record of a CSV, JSON or JSON Lines file.

    Its columns or keys are the fields of the contract.

    Raises:
        UnreadableError: the file as a whole cannot be read.
    """
    for row, values in enumerate(_records(file), start=1):
        yield Verdict(row, _judge(contract, values))


def _judge(contract: type[Record], values: Any) -> list[Problem]:
    if isinstance(values, NotJson):
        return [Problem(values.code, "", "the record is not usable JSON", values.suggestion)]
    if not isinstance(values, dict):
        return [describe("not_an_object", "", contract=contract)]
    given = {name: value for name, value in values.items() if value is not None}
    try:
        contract.model_validate(given)
    except ValidationError as error:
        return problems(contract, error)
    return []


def _records(file: Path) -> Iterator[Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{file} cannot be opened: {error.strerror}") from None
    if not content.strip():
        raise UnreadableError(f"{file} is empty")
    suffix = file.suffix.lower()
    if suffix == ".json":
        return _json_records(content)
    if suffix in _JSON_LINES or content.lstrip()[:1] == b"{":
        return (_json_line(line) for line in content.splitlines() if line.strip())
    return _delimited_records(content)


def _json_records(content: bytes) -> Iterator[Any]:
    try:
        value = parse(content)
    except NotJson as error:
        raise UnreadableError(error.suggestion) from None
    return iter(value if isinstance(value, list) else [value])


def _json_line(line: bytes) -> Any:
    try:
        return parse(line)
    except NotJson as error:
        return error


def _delimited_records(content: bytes) -> Iterator[Any]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("the file is not UTF-8 text: export it again as UTF-8") from None
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        yield from (
            {name or "(no header)": None if value == "" else value for name, value in row.items()}
            for row in reader
        )
    except csv.Error as error:
        raise UnreadableError(f"line {reader.line_num} is not delimited text: {error}") from None


def by_source(feed: Feed, settings: Settings, file: Path) -> Iterator[Verdict]:
    """Yield the verdict on each record that the spec of a source makes of a file.

    Raises:
        UnreadableError: the file as a whole cannot be read.
    """
    from pipelines.intake.read import read

    with tempfile.TemporaryDirectory(prefix="tessera-check-") as folder:
        home = Home.open(Path(folder))
        inbox = home.inbox / feed.inbox_folder
        inbox.mkdir()
        try:
            shutil.copyfile(file, inbox / file.name)
        except OSError as error:
            raise UnreadableError(f"{file} cannot be opened: {error.strerror}") from None
        feeds = {feed.source_id: replace(feed, takes=lambda _file: True)}
        received = receive(home, settings, feeds=feeds, settle=0)
        if not received.pending:
            raise UnreadableError("; ".join(received.not_received))
        (delivery_id,) = received.pending
        read(home, settings, delivery_id)
        report = validate(home, settings, delivery_id, feeds=feeds)
        if not report.readable:
            raise UnreadableError(str(report.error))
        yield from _verdicts(Staging.of(home, delivery_id, feed.interpretation_id))


def _verdicts(staging: Staging) -> Iterator[Verdict]:
    found: dict[tuple[int, str, str], list[Problem]] = defaultdict(list)
    for path in sorted(staging.accepted.glob("*.parquet")):
        for row, cell in pl.read_parquet(path, columns=["source_row", "source_cell"]).rows():
            found[row, cell or "", path.stem] = []
    for item in pl.read_parquet(staging.refused).iter_rows(named=True):
        found[item["source_row"], item["source_cell"] or "", item["kind"]].append(
            Problem(
                item["code"],
                item["field"],
                item["message"],
                item["suggestion"],
                item["value_masked"],
            )
        )
    for (row, cell, kind), of_record in sorted(found.items()):
        yield Verdict(row, of_record, cell or None, kind)
