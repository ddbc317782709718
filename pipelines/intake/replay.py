"""Refused records, corrected by a person, enter as a delivery of their own kind.

A replay holds whole records and names the place that each was refused at. That place counts as
superseded from then on, whatever becomes of it under a later spec, so nothing is counted twice. The
same corrections make the same bytes, so replaying a sheet again brings nothing new.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home, write_atomically
from pipelines.identity.named import named
from pipelines.intake.aside import REPLAYED_SCHEMA, REPLAYS
from pipelines.intake.quarantine import Place, RefusedRecord, show
from pipelines.intake.receive import archive_path, delivery_id_of
from pipelines.intake.records import (
    REFUSED,
    Receipt,
    active_records,
    receipts,
    record_folder,
    segments,
    write_receipt,
)
from pipelines.intake.sheet import CORRECTION, DELIVERED, EMPTY, RELEASE, Row, cells_of
from pipelines.settings import Settings
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import RELEASED
from pipelines.sources.faults import known
from pipelines.sources.mapping.corrections import MAPPING_CODES, Corrected, Corrections
from pipelines.sources.mapping.frames import records_schema
from pipelines.sources.mapping.vocabularies import unknown_outcome

_PATIENCE = 60.0


@dataclass(frozen=True)
class Refusal:
    """A row of the sheet that was not taken."""

    where: str
    reason: str


@dataclass
class ReplayReport:
    """What a sheet brought.

    Attributes:
        deliveries: replays to take in, with the number of their records.
        unchanged: rows without a correction.
        already: rows whose corrections were replayed before.
        refused: rows that were not taken, each with the reason.
    """

    deliveries: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def n_replayed(self) -> int:
        """Return how many corrected records enter."""
        return sum(self.deliveries.values())


class _RefusedError(Exception):
    """A row cannot be taken; the message says why."""


def replay(
    home: Home, settings: Settings, rows: Iterable[Row], *, by: str, catalogue: Catalogue
) -> ReplayReport:
    """Take in the corrections of a sheet as far as receipts and archive.

    Args:
        home: the home whose quarantine the sheet was made from.
        settings: not read today; every stage is called alike.
        rows: the rows of the sheet.
        by: the person who answers for the corrections.
        catalogue: the specs, by which corrections are read.

    Raises:
        UnnamedError: `by` names nobody.
        HomeError: another process is writing.
    """
    del settings
    person = named(by)
    with home.writing(timeout=_PATIENCE):
        work = _Replay(home, catalogue)
        for row in rows:
            work.take(row)
        for source_id, lines in sorted(work.lines.items()):
            delivery_id = _receive(home, catalogue, source_id, lines, person)
            work.report.deliveries[delivery_id] = len(lines)
    return work.report


class _Replay:
    def __init__(self, home: Home, catalogue: Catalogue) -> None:
        self._home, self._catalogue = home, catalogue
        self._replayed = dict(_earlier(home))
        self._open = {
            record.place: record
            for record in show(home, waiting=False)
            if record.place not in self._replayed
        }
        self._corrections: dict[str, Corrections] = {}
        self.report = ReplayReport()
        self.lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._taken: set[Place] = set()

    def take(self, row: Row) -> None:
        """Take one row, or say why not."""
        if not any(text.strip() for text in row.cells.values()):
            return
        try:
            self._take(row)
        except _RefusedError as reason:
            self.report.refused.append(Refusal(row.where, str(reason)))

    def _take(self, row: Row) -> None:
        place = _place(row)
        record = self._open.get(place)
        if record is None:
            self._take_closed(row, place)
            return
        _refuse_edits(row, record)
        if not row.corrections:
            self.report.unchanged += 1
            return
        if place in self._taken:
            raise _RefusedError("the same record stands in the sheet twice: keep one of the rows")
        corrected, problems = self._corrected(record, row)
        if corrected == (record.record or {}) and not _is_released(record, row):
            self.report.unchanged += 1
            return
        self._taken.add(place)
        line = _line(self._home, record, corrected, row)
        line["problems"] += problems + self._strange(record.kind, corrected)
        self.lines[record.source].append(line)

    def _strange(self, kind: str, corrected: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what the vocabulary says of a corrected decision."""
        named = corrected.get("vocabulary_id"), corrected.get("outcome")
        if kind != "decision" or not all(isinstance(text, str) for text in named):
            return []
        outcomes = self._catalogue.codes["decision_outcomes"]
        found = unknown_outcome(outcomes, str(named[0]), str(named[1]))
        if found is None:
            return []
        code, field, _, suggestion = found
        return [{"code": code, "field": field, "suggestion": suggestion}]

    def _take_closed(self, row: Row, place: Place) -> None:
        earlier = self._replayed.get(place)
        if earlier is None:
            raise _RefusedError(
                "there is no such record in quarantine: it was accepted since, or the ids in the "
                "row were changed. Export the sheet again"
            )
        if not row.corrections:
            self.report.unchanged += 1
            return
        if row.corrections == earlier.corrections:
            self.report.already += 1
            return
        raise _RefusedError(
            f"the record was corrected already, by {earlier.by} on {earlier.on:%Y-%m-%d} in "
            f"{earlier.delivery_id}: export the sheet again to see what it is now"
        )

    def _corrected(
        self, refused: RefusedRecord, row: Row
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the record with its corrections, and what of these cannot be read."""
        kind = refused.kind
        fields = [column.name for column in columns(CONTRACTS[kind])]
        record = dict(refused.record or {})
        problems: list[dict[str, Any]] = []
        for name, text in row.corrections.items():
            if name == RELEASE:
                continue
            if name not in fields:
                raise _RefusedError(
                    f"{CORRECTION}{name}: {kind} has no such field. {known(fields, name)}"
                )
            is_empty = text.strip() == EMPTY
            read = Corrected(None) if is_empty else self._read(refused.source, kind, name, text)
            record[name] = read.value
            if read.problem is not None:
                problems.append(read.problem)
        return {name: value for name, value in record.items() if value is not None}, problems

    def _read(self, source: str, kind: str, name: str, text: str) -> Corrected:
        spec = self._catalogue.sources.get(source)
        if spec is None:
            return Corrected(text.strip() or None)
        if source not in self._corrections:
            self._corrections[source] = Corrections(spec, self._catalogue)
        return self._corrections[source].read(kind, name, text)


def _is_released(record: RefusedRecord, row: Row) -> bool:
    """Tell whether a person lets the record in as it is: a false alarm of what looks at texts."""
    text = row.corrections.get(RELEASE)
    if text is None:
        return False
    if not record.is_releasable:
        raise _RefusedError("only what was found in free text can be released: correct the rest")
    if text.strip().lower() not in {"yes", "y", "true", "1"}:
        raise _RefusedError(f"{CORRECTION}{RELEASE} holds {text.strip()!r}: write yes, or nothing")
    return True


def _place(row: Row) -> Place:
    cells = row.cells
    number = cells["source_row"].strip()
    if not number.isdecimal():
        raise _RefusedError(
            "source_row was changed: only the columns headed 'correction: …' may be written in"
        )
    return (
        cells["delivery_id"].strip(),
        int(number),
        cells.get("source_cell") or None,
        cells["kind"].strip(),
        cells["record_key"].strip() or None,
    )


def _refuse_edits(row: Row, record: RefusedRecord) -> None:
    """Refuse a row that is not the one that was exported, but for its corrections."""
    if row.cells["fingerprint"] != record.fingerprint:
        raise _RefusedError(
            "the record is another one than was exported: the spec of its source, or the "
            "fingerprint, was changed since. Export the sheet again"
        )
    expected = cells_of(record)
    edited = [
        name
        for name, text in row.cells.items()
        if name and not name.startswith(CORRECTION) and _same(text) != _same(expected.get(name, ""))
    ]
    if edited:
        shown = ", ".join(name.removeprefix(DELIVERED) for name in edited)
        raise _RefusedError(
            f"{shown} was changed, which is not read: put the correction into the column "
            f"'{CORRECTION}…' beside it, and what stood here back"
        )


def _same(text: str) -> str:
    """Return a text without what a spreadsheet program may do to its line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line(home: Home, record: RefusedRecord, corrected: dict[str, Any], row: Row) -> dict[str, Any]:
    """Return the line of a replay: the whole record, and where it was refused."""
    kept = [
        {"code": problem["code"], "field": problem["field"], "suggestion": problem["suggestion"]}
        for problem in record.problems
        if problem["code"] in MAPPING_CODES and problem["field"] not in row.corrections
    ]
    return {
        "replays": {
            "delivery_id": record.delivery_id,
            "source_row": record.source_row,
            "source_cell": record.source_cell,
            "kind": record.kind,
            "record_key": record.record_key,
            "is_alone": _is_alone(home, record),
        },
        "record": corrected,
        "corrections": row.corrections,
        "problems": kept,
        "original": record.original,
    }


def _is_alone(home: Home, record: RefusedRecord) -> bool:
    """Tell whether no other record of the kind was read at the same place."""
    (intake,) = active_records(home, record.delivery_id)
    folder = record_folder(home, intake)
    files = [folder / REFUSED]
    if record.kind in intake.accepted_events:
        files += segments(folder, record.kind)
    keys: set[str | None] = set()
    for path in files:
        here = (
            pl.scan_parquet(path)
            .filter(
                pl.col("source_row") == record.source_row,
                pl.col("source_cell").eq_missing(pl.lit(record.source_cell, pl.String)),
            )
            .filter(pl.col("kind") == record.kind if path == files[0] else pl.lit(value=True))
        )
        keys |= set(here.select("record_key").collect()["record_key"])
    return keys <= {record.record_key}


def _receive(
    home: Home, catalogue: Catalogue, source_id: str, lines: list[dict[str, Any]], by: str
) -> str:
    """Put the records of one source into the archive, with a receipt."""
    texts = [json.dumps(line, sort_keys=True, ensure_ascii=False) for line in lines]
    content = "".join(f"{text}\n" for text in sorted(texts)).encode("utf-8", "surrogatepass")
    sha256 = hashlib.sha256(content).hexdigest()
    delivery_id = delivery_id_of(source_id, sha256)
    target = archive_path(home, sha256)
    if not target.exists():
        write_atomically(target, content)
        target.chmod(0o400)
    spec = catalogue.sources.get(source_id)
    now = datetime.now(UTC)
    number = 1 + sum(1 for _ in receipts(home, delivery_id))
    write_receipt(
        home,
        Receipt(
            receipt_id=f"{delivery_id}.{number}",
            delivery_id=delivery_id,
            source_id=source_id,
            file=f"replay of {len(lines)} refused records",
            bytes=len(content),
            sha256=sha256,
            modified_ns=0,
            known_at=now,
            received_at=now,
            status="received",
            owner=spec.owner if spec is not None else None,
            replayed_by=by,
        ),
    )
    return delivery_id


@dataclass(frozen=True)
class _Earlier:
    delivery_id: str
    by: str
    on: datetime
    corrections: dict[str, str]


def _earlier(home: Home) -> Iterator[tuple[Place, _Earlier]]:
    """Yield every record that was replayed, by the place at which it was refused.

    A replay that is still to be read counts; one that could not be read does not.
    """
    lost = {record.delivery_id for record in active_records(home) if record.status != "committed"}
    for receipt in receipts(home):
        if receipt.replayed_by is None or receipt.sha256 is None or receipt.delivery_id is None:
            continue
        if receipt.delivery_id in lost:
            continue
        for line in _lines(archive_path(home, receipt.sha256)):
            at = line["replays"]
            place = (
                at["delivery_id"],
                at["source_row"],
                at["source_cell"],
                at["kind"],
                at["record_key"],
            )
            yield (
                place,
                _Earlier(
                    receipt.delivery_id, receipt.replayed_by, receipt.known_at, line["corrections"]
                ),
            )


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    return [json.loads(line) for line in text.split("\n") if line]


def read_replay(path: Path, into: Path, gone: frozenset[int] = frozenset()) -> dict[str, int]:
    """Write the frames of the read stage for a replay, and return how many records of each kind.

    The records are as the spec in force mapped them when they were corrected. Rows that are `gone`
    were erased.
    """
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    places, originals = [], []
    for number, line in enumerate(_lines(path), 1):
        at = line["replays"]
        key = None if at["is_alone"] else at["record_key"] or ""
        if number in gone:
            continue
        places.append((at["delivery_id"], at["kind"], at["source_row"], at["source_cell"], key))
        originals.append({"source_row": number, **_as_texts(line["original"] or line["record"])})
        by_kind[at["kind"]].append(
            {
                **_as_texts(line["record"]),
                "source_row": number,
                "problems": [
                    problem | {"value": _as_text(line["record"].get(problem["field"]))}
                    for problem in line["problems"]
                ],
                "notes": [
                    {"code": RELEASED, "field": None, "detail": None}
                    if name == RELEASE
                    else {"code": "corrected_by_hand", "field": name, "detail": None}
                    for name in line["corrections"]
                ],
            }
        )
    for kind, rows in sorted(by_kind.items()):
        frame = pl.DataFrame(rows, schema=records_schema(kind), orient="row")
        frame.write_parquet(into / f"records-{kind}-00001.parquet", compression="zstd")
    names = dict.fromkeys(name for row in originals for name in row)
    pl.DataFrame(
        originals,
        schema={n: pl.Int64 if n == "source_row" else pl.String for n in names},
    ).write_parquet(into / "source-00001.parquet", compression="zstd")
    pl.DataFrame(places, schema=REPLAYED_SCHEMA, orient="row").write_parquet(into / REPLAYS)
    return {kind: len(rows) for kind, rows in sorted(by_kind.items())}


def _as_texts(values: dict[str, Any]) -> dict[str, str | None]:
    return {name: _as_text(value) for name, value in values.items() if name != "source_row"}


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
