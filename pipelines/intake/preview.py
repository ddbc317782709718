"""What would become of the records of a file; nothing is stored."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.contracts.base import Record
from pipelines.contracts.problems import Problem, describe, problems
from pipelines.home import Home
from pipelines.intake.checkers import UnreadableError, Verdict
from pipelines.intake.feeds import Feed
from pipelines.intake.receive import receive
from pipelines.intake.records import segments_by_kind
from pipelines.intake.staging import Staging
from pipelines.intake.validate import validate
from pipelines.settings import Settings
from pipelines.sources.readers import READERS, Unreadable, Wanted
from pipelines.sources.readers.base import SOURCE_ROW, reader_for
from pipelines.sources.readers.json_file import JsonFile, JsonOptions
from pipelines.sources.readers.json_file import records as json_records
from pipelines.sources.readers.jsonl import BOM, JsonLines
from pipelines.sources.readers.parts import place_of
from pipelines.sources.readers.strict_json import NotJson, parse


def by_contract(contract: type[Record], file: Path) -> Iterator[Verdict]:
    """Yield the verdict on each record of a file whose columns or keys are the contract's fields.

    The ending of its name tells how it is read.

    Raises:
        UnreadableError: the file as a whole cannot be read.
    """
    try:
        if not file.stat().st_size:
            raise UnreadableError(f"{file} is empty")
        yield from _values_judged(contract, file)
    except Unreadable as error:
        raise UnreadableError(f"{error.message} {error.suggestion}") from None
    except OSError as error:
        raise UnreadableError(f"{file} cannot be opened: {error.strerror or error}") from None


def _values_judged(contract: type[Record], file: Path) -> Iterator[Verdict]:
    if file.suffix.lower() in JsonFile.suffixes:
        values: Iterator[Any] = json_records(file, JsonOptions())
    elif file.suffix.lower() in JsonLines.suffixes or _begins_with_a_brace(file):
        values = _json_lines(file)
    else:
        yield from _cells_judged(contract, file)
        return
    for row, value in enumerate(values, start=1):
        yield Verdict(row, _judge(contract, value))


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


def _begins_with_a_brace(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(1024).lstrip()[:1] == b"{"


def _json_lines(file: Path) -> Iterator[Any]:
    with file.open("rb") as opened:
        if opened.read(len(BOM)) != BOM:
            opened.seek(0)
        for line in opened:
            if line.strip():
                try:
                    yield parse(line)
                except NotJson as error:
                    yield error


def _cells_judged(contract: type[Record], file: Path) -> Iterator[Verdict]:
    """Judge the rows of a file in which everything is text."""
    reader = reader_for(file) or READERS["delimited"]
    reading = reader.open(file, reader.options(), Wanted(patterns=("",)))
    for chunk in reading.chunks:
        refused = {
            row: [describe(code, "", contract=contract, suggestion=suggestion)]
            for row, code, suggestion in chunk.problems.iter_rows()
        }
        found = [
            (row.pop(SOURCE_ROW), {name: value for name, value in row.items() if value != ""})
            for row in chunk.rows.iter_rows(named=True)
        ]
        for row, values in sorted([*refused.items(), *found], key=itemgetter(0)):
            place = str(place_of(reading.facts, row)) if chunk.part else None
            yield Verdict(
                row,
                values if isinstance(values, list) else _judge(contract, values),
                place=place,
            )


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
        facts = report.read.get("facts", {})
        yield from _verdicts(Staging.of(home, delivery_id, feed.interpretation_id), facts)


def _verdicts(staging: Staging, facts: dict[str, Any]) -> Iterator[Verdict]:
    found: dict[tuple[int, str, str], list[Problem]] = defaultdict(list)
    for kind, paths in segments_by_kind(staging.accepted).items():
        for row, cell in pl.read_parquet(paths, columns=["source_row", "source_cell"]).rows():
            found[row, cell or "", kind] = []
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
        place = str(place_of(facts, row))
        yield Verdict(row, of_record, cell or None, kind, place if place != f"row {row}" else None)
