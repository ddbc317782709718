"""The read stage: the bytes of one delivery become all-text records, by its source spec."""

from __future__ import annotations

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home, write_atomically
from pipelines.intake import stretches, workers
from pipelines.intake.chunk import Counts as JudgedCounts
from pipelines.intake.context import Context, context_of
from pipelines.intake.erased import erased_rows
from pipelines.intake.feeds import feed_of
from pipelines.intake.records import receipts
from pipelines.intake.replay import read_replay
from pipelines.intake.staging import JUDGED_FOLDER
from pipelines.settings import Settings
from pipelines.sources import catalogue as catalogues
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import wanted
from pipelines.sources.faults import known
from pipelines.sources.interpretation import interpretation_id
from pipelines.sources.mapping.records import Counts, Mapping
from pipelines.sources.mapping.wide import matching
from pipelines.sources.readers import READERS, Chunk, Unreadable
from pipelines.sources.readers.base import CHUNK_BYTES, SOURCE_ROW, Reading, is_part
from pipelines.sources.readers.parts import in_part, missing_part
from pipelines.sources.spec import RecordMap, SourceSpec

REPORT = "read.json"
FOLDER = "read"
Progress = Callable[[int, int], None]
"""Called with about how many bytes of the file are read, and how many it has."""


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
    columns_absent: list[str] = []
    """Columns that the spec reads and no row has: optional ones, whose fields stay empty."""
    columns_refused: list[ColumnNotTaken] = []
    parts_not_taken: list[str] = []
    """Sheets or members that no block of the spec reads."""
    replays: int = 0
    """How many refused records of other deliveries it mends."""


def read(
    home: Home,
    settings: Settings,
    delivery_id: str,
    catalogue: Catalogue | None = None,
    progress: Progress | None = None,
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
    gone = erased_rows(home, delivery_id)
    if any(receipt.replayed_by is not None for receipt in receipts(home, delivery_id)):
        report = _read_replay(archived, spec, catalogue, temporary, delivery_id, gone)
    else:
        is_large = archived.stat().st_size > workers.SMALL
        feed = feed_of(spec, catalogue)
        report = read_file(
            archived,
            spec,
            catalogue,
            temporary,
            delivery_id=delivery_id,
            gone=gone,
            n_workers=settings.workers if is_large else 1,
            judged_by=context_of(home, feed, delivery_id) if is_large else None,
            progress=progress,
        )
    try:
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary)
        if not (folder / REPORT).exists():
            raise
    return report


def _read_replay(
    path: Path,
    spec: SourceSpec,
    catalogue: Catalogue,
    into: Path,
    delivery_id: str,
    gone: frozenset[int],
) -> ReadReport:
    records = read_replay(path, into, gone)
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
    gone: frozenset[int] = frozenset(),
    n_workers: int = 1,
    judged_by: Context | None = None,
    progress: Progress | None = None,
) -> ReadReport:
    """Read one file by a spec and write records, originals and the report into a folder.

    Rows that are `gone` were erased: only their numbers are left. With several workers, stretches
    of the file are read apart where its format can be cut, and their records are judged in the
    same pass where it is given by what.
    """
    work = _Work(path, spec, catalogue, into, gone, n_workers, judged_by, progress)
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
        shutil.rmtree(into / JUDGED_FOLDER, ignore_errors=True)
        for written in into.glob("*.parquet"):
            written.unlink()
    report = work.report(delivery_id, error)
    write_atomically(into / REPORT, report.model_dump_json(indent=2).encode())
    return report


class _Work:
    def __init__(
        self,
        path: Path,
        spec: SourceSpec,
        catalogue: Catalogue,
        into: Path,
        gone: frozenset[int],
        n_workers: int,
        judged_by: Context | None,
        progress: Progress | None,
    ) -> None:
        self.n_workers = n_workers
        self.judged_by = judged_by
        self.progress = progress
        self.size = path.stat().st_size if path.exists() else 0
        self.path, self.spec, self.catalogue, self.into = path, spec, catalogue, into
        self.gone = sorted(gone)
        self.reading: Reading | None = None
        self.counts = Counts()
        self.mappings: dict[str | None, Mapping] = {}
        self.n_rows = 0
        self.n_steps = 0
        self.files: Counter[str] = Counter()
        """Parts written so far, by the name before their number."""

    def run(self) -> None:
        reader = READERS[self.spec.reader.name]
        options = reader.options.model_validate(self.spec.reader.options)
        reading = reader.open(self.path, options, wanted(self.spec))
        self.reading = reading
        if reading.parts is not None:
            self._refuse_missing_parts(list(reading.parts))
        elif reading.header is not None:
            self._mapping(None)
        if self.n_workers > 1 and reading.stretches is not None and not self.gone:
            self._read_apart(reading)
        else:
            for chunk in reading.chunks:
                self._write_chunk(self._mapping(chunk.part), chunk)
                self._tell(reading)
        for name, part in self._parts():
            if part.header is None:
                self._refuse_missing_columns(name, part.seen, every=False)
            else:
                self._mapping(name)

    def _parts(self) -> list[tuple[str | None, Reading]]:
        """Return the tables that were read, each with its name where the file has several."""
        if self.reading is None:
            return []
        if self.reading.parts is None:
            return [(None, self.reading)]
        return [(name, part) for name, part in self.reading.parts.items() if part is not None]

    def _mapping(self, part: str | None) -> Mapping:
        """Return the mapping of a part; its header is looked at before its first row."""
        if part not in self.mappings:
            table = dict(self._parts())[part]
            if table.header is not None:
                self._refuse_missing_columns(part, set(table.header), every=True)
            self.mappings[part] = Mapping(
                self.spec,
                self.catalogue,
                has_header=table.header is not None,
                part=part,
                counts=self.counts,
            )
        return self.mappings[part]

    def report(self, delivery_id: str | None, error: ReadError | None) -> ReadReport:
        counts = self.counts if error is None else Counts()
        not_taken, refused = self._columns_left()
        return ReadReport(
            delivery_id=delivery_id,
            interpretation_id=interpretation_id(self.spec, self.catalogue),
            source_id=self.spec.source,
            readable=error is None,
            error=error,
            source_rows=self.n_rows,
            rows_blank=counts.rows_blank,
            rows_skipped=counts.rows_skipped,
            cells_blank=counts.cells_blank,
            records=dict(sorted(counts.records.items())),
            facts=self.reading.facts if self.reading is not None else {},
            columns_not_taken=not_taken,
            columns_absent=self._columns_absent() if error is None else [],
            columns_refused=refused,
            parts_not_taken=self._parts_left(),
        )

    def _parts_left(self) -> list[str]:
        asked = wanted(self.spec)
        parts = self.reading.parts if self.reading is not None else None
        return [name for name in parts or () if not asked.reads(name)]

    def _read_apart(self, reading: Reading) -> None:
        context, counts = self.judged_by, JudgedCounts()
        folder = self.into / JUDGED_FOLDER
        judging = None if context is None else stretches.Judging(context, folder)
        means = pickle.dumps((self.spec, self.catalogue, reading.header is not None, judging))
        tasks = (
            (self.path, means, stretch, number, self.into)
            for number, stretch in enumerate(reading.stretches or ())
        )
        for part in workers.each(stretches.read, tasks, self.n_workers):
            if part.error is not None:
                raise Unreadable(*part.error)
            self.n_rows += part.rows
            reading.seen |= part.seen
            self.counts.add(part.counts)
            counts.add(part.judged)
            self._tell(reading)
        if context is not None:
            folder.mkdir(exist_ok=True)
            judged = stretches.Judged(known_at=context.known_at, counts=counts)
            write_atomically(folder / stretches.JUDGED, judged.model_dump_json().encode())

    def _tell(self, reading: Reading) -> None:
        """Tell how far reading is: by rows where the file says how many it has, else by chunks."""
        self.n_steps += 1
        if self.progress is not None:
            n_rows = reading.facts.get("n_rows")
            done = self.size * self.n_rows // n_rows if n_rows else self.n_steps * CHUNK_BYTES
            self.progress(min(done, self.size), self.size)

    def _write_chunk(self, mapping: Mapping, chunk: Chunk) -> None:
        if self.gone:
            is_left = ~pl.col(SOURCE_ROW).is_in(self.gone)
            chunk = replace(
                chunk,
                rows=chunk.rows.filter(is_left),
                originals=chunk.originals.filter(is_left),
                problems=chunk.problems.filter(is_left),
            )
        self.n_rows += chunk.originals.height
        for kind, frame in mapping.apply(chunk):
            stretches.write_records(kind, frame, self.into, self.files)
        stretches.write_source(mapping, self.catalogue, self.path, chunk, self.into, self.files)

    def _columns_left(self) -> tuple[list[str], list[ColumnNotTaken]]:
        """Return columns that nothing takes, and those that nobody may take, in their order."""
        not_taken: list[str] = []
        refused: list[ColumnNotTaken] = []
        tables = self._parts()
        for part, table in tables:
            prefix = f"{part}: " if part is not None and len(tables) > 1 else ""
            asked = wanted(self.spec) if part is None else wanted(self.spec).of_part(part)
            tops = {column.partition(".")[0] for column in asked.columns}
            for name in table.header if table.header is not None else sorted(table.seen):
                if (reason := self.catalogue.reason_to_refuse(self.spec, name)) is not None:
                    refused.append(ColumnNotTaken(column=prefix + name, reason=reason))
                elif (
                    not asked.has(name)
                    and name not in self.spec.drop
                    and (table.header is not None or name not in tops)
                ):
                    not_taken.append(prefix + name)
        return not_taken, refused

    def _columns_absent(self) -> list[str]:
        """Return columns that the spec reads and that are not there, in the order of the spec."""
        absent: list[str] = []
        tables = self._parts()
        for part, table in tables:
            prefix = f"{part}: " if part is not None and len(tables) > 1 else ""
            present = table.seen | set(table.header or ())
            tops = {name.partition(".")[0] for name in present} if table.header is None else set()
            for record in self.spec.records:
                if part is not None and not is_part(part, record.part):
                    continue
                absent += [
                    prefix + names[0]
                    for names in _columns_mapped(record)
                    if not present & set(names) and names[0].partition(".")[0] not in tops
                ]
        return list(dict.fromkeys(absent))

    def _refuse_missing_parts(self, present: list[str]) -> None:
        for record in self.spec.records:
            if not record.part_optional and not any(is_part(p, record.part) for p in present):
                raise missing_part(str(record.part), present)

    def _refuse_missing_columns(self, part: str | None, present: set[str], *, every: bool) -> None:
        """Refuse a table that lacks columns of the spec.

        With a header every column must be there that is not `optional`; where rows name their
        own columns, only those that a required field needs, and in no row at all.
        """
        blocks = [r for r in self.spec.records if part is None or is_part(part, r.part)]
        try:
            self._look_for_columns(present, blocks, every=every)
        except Unreadable as error:
            if part is None or self.reading is None or len(self.reading.parts or ()) == 1:
                raise
            raise in_part(error, part) from None

    def _look_for_columns(self, present: set[str], blocks: list[RecordMap], *, every: bool) -> None:
        tops = {name.partition(".")[0] for name in present} if not every else set()
        known_at = self.spec.known_at.column if every else None
        for column, alternatives in _columns_needed(blocks, known_at, every=every):
            if not present & set(alternatives) and column.partition(".")[0] not in tops:
                raise _missing_column(alternatives, sorted(present))
        for record in blocks:
            if record.wide is not None and not matching(record.wide, sorted(present)):
                raise Unreadable(
                    "missing_column",
                    f"No column matches the pattern {record.wide.columns!r} of the spec.",
                    f"The file has: {', '.join(sorted(present)[:40])}.",
                )


def _columns_needed(
    blocks: list[RecordMap], known_at: str | None, *, every: bool
) -> Iterator[tuple[str, list[str]]]:
    """Return the columns that a table must have, each with its alternative names."""
    for record in blocks:
        made = record.wide.made_columns() if record.wide is not None else set()
        for names in _columns_of_fields(record, every=every):
            if names[0] not in made | {"source_row"}:
                yield names[0], names
        for condition in record.conditions() if every else ():
            for column in condition.columns():
                if column not in made | {"source_row"}:
                    yield column, [column]
    if known_at is not None:
        yield known_at, [known_at]


def _columns_mapped(record: RecordMap) -> Iterator[list[str]]:
    """Return every column that a block reads, each with its alternative names."""
    made = record.wide.made_columns() if record.wide is not None else set()
    for _, mapping in record.field_maps():
        for column in mapping.columns():
            is_named = mapping.column is not None and column == mapping.column[0]
            names = list(mapping.column or ()) if is_named else [column]
            if names[0] not in made | {SOURCE_ROW}:
                yield names


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
