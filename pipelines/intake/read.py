"""The read stage: the bytes of one delivery become all-text records, by its source spec."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home, write_atomically
from pipelines.intake.records import receipts
from pipelines.intake.replay import read_replay
from pipelines.settings import Settings
from pipelines.sources import catalogue as catalogues
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import wanted
from pipelines.sources.faults import known
from pipelines.sources.interpretation import interpretation_id
from pipelines.sources.mapping.records import Mapping
from pipelines.sources.mapping.wide import matching
from pipelines.sources.readers import READERS, Chunk, Unreadable
from pipelines.sources.readers.base import Reading
from pipelines.sources.spec import RecordMap, SourceSpec

REPORT = "read.json"
FOLDER = "read"


class ReadError(BaseModel):
    """Why a delivery cannot be read: a stable code, a sentence, what to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str
    suggestion: str


class ColumnNotTaken(BaseModel):
    """A column that is never taken, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    reason: str


class ReadReport(BaseModel):
    """What reading one delivery gave; the content of `read.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivery_id: str | None = None
    interpretation_id: str
    source_id: str
    readable: bool
    error: ReadError | None = None
    source_rows: int = 0
    """Rows or lines of the file, those that could not be read included; not its header."""
    rows_blank: int = 0
    rows_skipped: int = 0
    cells_blank: int = 0
    records: dict[str, int] = {}
    facts: dict[str, Any] = {}
    columns_not_taken: list[str] = []
    columns_refused: list[ColumnNotTaken] = []
    replays: int = 0
    """How many refused records of other deliveries it mends."""


def read(
    home: Home, settings: Settings, delivery_id: str, catalogue: Catalogue | None = None
) -> ReadReport:
    """Read one delivery into its staging folder, all of it or nothing.

    A delivery that was read before under the same interpretation is not read again.

    Raises:
        KeyError: there is no such delivery, or no source spec for it.
        SourceError: the specs of this installation have faults.
    """
    catalogue = catalogue or catalogues.load(settings)
    source_id, _, start = delivery_id.rpartition("-")
    if source_id not in catalogue.sources:
        raise KeyError(f"no source spec for delivery {delivery_id}")
    spec = catalogue.sources[source_id]
    folder = home.staging / delivery_id / interpretation_id(spec, catalogue) / FOLDER
    if (folder / REPORT).exists():
        return ReadReport.model_validate_json((folder / REPORT).read_bytes())
    archived = next(iter((home.archive / start[:2]).glob(f"{start}*")), None)
    if archived is None:
        raise KeyError(f"the archive holds no file for delivery {delivery_id}")
    temporary = folder.with_name(f".{FOLDER}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    if any(receipt.replayed_by is not None for receipt in receipts(home, delivery_id)):
        report = _read_replay(archived, spec, catalogue, temporary, delivery_id)
    else:
        report = read_file(archived, spec, catalogue, temporary, delivery_id=delivery_id)
    try:
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary)
        if not (folder / REPORT).exists():
            raise
    return report


def _read_replay(
    path: Path, spec: SourceSpec, catalogue: Catalogue, into: Path, delivery_id: str
) -> ReadReport:
    records = read_replay(path, into)
    report = ReadReport(
        delivery_id=delivery_id,
        interpretation_id=interpretation_id(spec, catalogue),
        source_id=spec.source,
        readable=True,
        source_rows=sum(records.values()),
        records=records,
        replays=sum(records.values()),
    )
    write_atomically(into / REPORT, report.model_dump_json(indent=2).encode())
    return report


def read_file(
    path: Path,
    spec: SourceSpec,
    catalogue: Catalogue,
    into: Path,
    *,
    delivery_id: str | None = None,
) -> ReadReport:
    """Read one file by a spec and write records, originals and the report into a folder."""
    work = _Work(path, spec, catalogue, into)
    try:
        work.run()
        error = None
    except Unreadable as reason:
        error = ReadError(code=reason.code, message=reason.message, suggestion=reason.suggestion)
    except OSError as reason:
        error = ReadError(
            code="unreadable_file",
            message=f"The file cannot be read: {reason.strerror or reason}.",
            suggestion="Send the file again.",
        )
    if error is not None:
        for written in into.glob("*.parquet"):
            written.unlink()
    report = work.report(delivery_id, error)
    write_atomically(into / REPORT, report.model_dump_json(indent=2).encode())
    return report


class _Work:
    def __init__(self, path: Path, spec: SourceSpec, catalogue: Catalogue, into: Path) -> None:
        self.path, self.spec, self.catalogue, self.into = path, spec, catalogue, into
        self.reading: Reading | None = None
        self.mapping: Mapping | None = None
        self.n_rows = 0
        self.files: Counter[str] = Counter()

    def run(self) -> None:
        reader = READERS[self.spec.reader.name]
        options = reader.options.model_validate(self.spec.reader.options)
        reading = reader.open(self.path, options, wanted(self.spec))
        self.reading = reading
        if reading.header is not None:
            self._refuse_missing_columns(set(reading.header), every=True)
        self.mapping = Mapping(self.spec, self.catalogue, has_header=reading.header is not None)
        for chunk in reading.chunks:
            self._write_chunk(self.mapping, chunk)
        if reading.header is None:
            self._refuse_missing_columns(reading.seen, every=False)

    def report(self, delivery_id: str | None, error: ReadError | None) -> ReadReport:
        counts = self.mapping.counts if self.mapping is not None else None
        not_taken, refused = self._columns_left()
        read_well = error is None and counts is not None
        return ReadReport(
            delivery_id=delivery_id,
            interpretation_id=interpretation_id(self.spec, self.catalogue),
            source_id=self.spec.source,
            readable=error is None,
            error=error,
            source_rows=self.n_rows,
            rows_blank=counts.rows_blank if counts and read_well else 0,
            rows_skipped=counts.rows_skipped if counts and read_well else 0,
            cells_blank=counts.cells_blank if counts and read_well else 0,
            records=dict(sorted(counts.records.items())) if counts and read_well else {},
            facts=self.reading.facts if self.reading is not None else {},
            columns_not_taken=not_taken,
            columns_refused=refused,
        )

    def _write_chunk(self, mapping: Mapping, chunk: Chunk) -> None:
        self.n_rows += chunk.originals.height
        for kind, frame in mapping.apply(chunk):
            self._write(f"records-{kind}", frame)
        self._write("source", self._without_refused(chunk.originals))

    def _without_refused(self, originals: pl.DataFrame) -> pl.DataFrame:
        """Leave out of the rows as delivered what must never be taken; the archive has it."""
        refused = [
            name
            for name in originals.columns
            if name != "source_row" and self.catalogue.reason_to_refuse(self.spec, name)
        ]
        kept = originals.drop(refused)
        if self.reading is None or self.reading.header is not None:
            return kept
        texts = pl.col([name for name, kind in kept.schema.items() if kind == pl.String])
        return kept.with_columns(
            texts.str.replace_all(self.catalogue.refused_in_json(self.spec), '${key}"•"')
        )

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        self.files[name] += 1
        path = self.into / f"{name}-{self.files[name]:05d}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=1)

    def _columns_left(self) -> tuple[list[str], list[ColumnNotTaken]]:
        reading = self.reading
        if reading is None:
            return [], []
        names = reading.header if reading.header is not None else sorted(reading.seen)
        asked = wanted(self.spec)
        tops = {column.partition(".")[0] for column in asked.columns}
        not_taken, refused = [], []
        for name in names:
            if (reason := self.catalogue.reason_to_refuse(self.spec, name)) is not None:
                refused.append(ColumnNotTaken(column=name, reason=reason))
            elif (
                not asked.has(name)
                and name not in self.spec.drop
                and (reading.header is not None or name not in tops)
            ):
                not_taken.append(name)
        return not_taken, refused

    def _refuse_missing_columns(self, present: set[str], *, every: bool) -> None:
        """Refuse a file that lacks columns of the spec.

        With a header every column must be there that is not `optional`; where rows name their
        own columns, only those that a required field needs, and in no row at all.
        """
        tops = {name.partition(".")[0] for name in present} if not every else set()
        for column, alternatives in _columns_needed(self.spec, every=every):
            if not present & set(alternatives) and column.partition(".")[0] not in tops:
                raise _missing_column(alternatives, sorted(present))
        for record in self.spec.records:
            if record.wide is not None and not matching(record.wide, sorted(present)):
                raise Unreadable(
                    "missing_column",
                    f"No column matches the pattern {record.wide.columns!r} of the spec.",
                    f"The file has: {', '.join(sorted(present)[:40])}.",
                )


def _columns_needed(spec: SourceSpec, *, every: bool) -> Iterator[tuple[str, list[str]]]:
    """Return the columns that the file must have, each with its alternative names."""
    for record in spec.records:
        made = record.wide.made_columns() if record.wide is not None else set()
        for names in _columns_of_fields(record, every=every):
            if names[0] not in made | {"source_row"}:
                yield names[0], names
        for condition in record.conditions() if every else ():
            for column in condition.columns():
                if column not in made | {"source_row"}:
                    yield column, [column]
    if every and spec.known_at.column is not None:
        yield spec.known_at.column, [spec.known_at.column]


def _columns_of_fields(record: RecordMap, *, every: bool) -> Iterator[list[str]]:
    required = {c.name for c in columns(CONTRACTS[record.kind]) if c.required}
    for name, mapping in record.field_maps():
        is_needed = name in required and mapping.default is None
        if mapping.optional or not (every or is_needed):
            continue
        for column in mapping.columns():
            is_named = mapping.column is not None and column == mapping.column[0]
            yield list(mapping.column or ()) if is_named else [column]


def _missing_column(alternatives: list[str], present: list[str]) -> Unreadable:
    named = " or ".join(repr(name) for name in alternatives)
    twice = [name for name in present if name.rpartition("#")[0] in alternatives]
    if twice:
        return Unreadable(
            "duplicate_header",
            f"The column {named} stands more than once in the header.",
            f"Name the right one in the spec: {' or '.join(twice)}.",
        )
    return Unreadable(
        "missing_column",
        f"The file has no column {named}.",
        f"{known(present, alternatives[0])} If the export was renamed, add the new name to the "
        "spec.",
    )
