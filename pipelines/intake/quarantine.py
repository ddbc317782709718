"""What was refused or held, by cause, with the original for those who may see it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home
from pipelines.intake.ledger import open_refusals
from pipelines.intake.records import IntakeRecord, active_records, interpretation_folder
from pipelines.intake.segment import originals_path
from pipelines.sources.readers.parts import place_of

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


class Cause(BaseModel):
    """Records that were refused for the same reason, and who sees to them."""

    model_config = ConfigDict(frozen=True)

    source: str | None
    kind: str | None
    code: str
    field: str | None
    owner: str | None
    n_records: int
    n_deliveries: int
    since: AwareDatetime
    message: str
    suggestion: str | None


class RefusedRecord(BaseModel):
    """One refused record with everything that is wrong with it and its original."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    source: str
    file: str
    source_row: int
    source_cell: str | None
    place: str
    """Where a person finds the row, such as `Marks, row 17`."""
    kind: str
    owner: str
    problems: list[dict[str, Any]]
    record: dict[str, Any] | None = None
    """The record as the source spec mapped it; restricted."""
    original: dict[str, Any] | None = None
    """The row as it was delivered; restricted."""


def causes(home: Home) -> list[Cause]:
    """Return what waits for a person, grouped by cause, the most frequent first."""
    records = active_records(home)
    found = list(_refused_causes(home, records))
    found += [_whole(record) for record in records if record.status != "committed"]
    found += [
        Cause(
            source=receipt.source_id,
            kind=None,
            code=receipt.code or receipt.status,
            field=None,
            owner=receipt.owner,
            n_records=0,
            n_deliveries=1,
            since=receipt.known_at,
            message=receipt.reason or receipt.status,
            suggestion=None,
        )
        for receipt in open_refusals(home)
    ]
    return sorted(found, key=lambda c: (-c.n_records, c.source or "", c.code, c.field or ""))


def _refused_causes(home: Home, records: list[IntakeRecord]) -> Iterator[Cause]:
    frames = [
        pl.read_parquet(path).with_columns(
            pl.lit(record.source_id).alias("source"),
            pl.lit(record.delivery_id).alias("delivery_id"),
            pl.lit(record.known_at).alias("since"),
        )
        for record in records
        if record.refused and (path := _folder(home, record) / "refused.parquet").exists()
    ]
    if not frames:
        return
    grouped = (
        pl.concat(frames)
        .filter("is_first")
        .sort("since", "delivery_id", "source_row")
        .group_by("source", "kind", "code", "field", "owner", maintain_order=True)
        .agg(
            pl.len().alias("n_records"),
            pl.col("delivery_id").n_unique().alias("n_deliveries"),
            pl.col("since").min(),
            pl.col("message").first(),
            pl.col("suggestion").first(),
        )
    )
    for row in grouped.iter_rows(named=True):
        yield Cause(**row)


def _whole(record: IntakeRecord) -> Cause:
    """Return the cause of a delivery that is held or unreadable as a whole."""
    return Cause(
        source=record.source_id,
        kind=None,
        code=record.error.code if record.error else record.status,
        field=record.hold.rule if record.hold else None,
        owner=record.hold.owner if record.hold else record.owner,
        n_records=record.n_events,
        n_deliveries=1,
        since=record.known_at,
        message=record.reason_as_whole or record.status,
        suggestion="mend the source spec, and the next run reads it again; or send the file again",
    )


def show(
    home: Home,
    *,
    delivery_id: str | None = None,
    row: int | None = None,
    code: str | None = None,
    limit: int | None = None,
) -> Iterator[RefusedRecord]:
    """Yield refused records with their originals, in the order of the log.

    Args:
        home: the home to look in.
        delivery_id: only this delivery.
        row: only this row.
        code: only records with such a problem.
        limit: at most so many.
    """
    n_shown = 0
    for record in active_records(home, delivery_id or "*"):
        for refused in _refused(home, record):
            codes = {problem["code"] for problem in refused.problems}
            if (row is None or refused.source_row == row) and (code is None or code in codes):
                if limit is not None and n_shown >= limit:
                    return
                n_shown += 1
                yield refused


def _refused(home: Home, record: IntakeRecord) -> Iterator[RefusedRecord]:
    path = _folder(home, record) / "refused.parquet"
    if not record.refused or not path.exists():
        return
    problems: dict[tuple[int, str | None, str], list[dict[str, Any]]] = {}
    owners: dict[tuple[int, str | None, str], str] = {}
    for row in pl.read_parquet(path).iter_rows(named=True):
        where = (row["source_row"], row["source_cell"], row["kind"])
        owners[where] = row["owner"]
        problems.setdefault(where, []).append(
            {name: row[name] for name in ("code", "field", "message", "value_masked", "suggestion")}
        )
    originals = _originals(home, record)
    facts = record.read.get("facts", {})
    for where, found in problems.items():
        as_mapped, as_delivered = originals.get(where, (None, None))
        yield RefusedRecord(
            delivery_id=record.delivery_id,
            source=record.source_id,
            file=record.file,
            source_row=where[0],
            source_cell=where[1],
            place=str(place_of(facts, where[0])),
            kind=where[2],
            owner=owners[where],
            problems=found,
            record=as_mapped,
            original=as_delivered,
        )


def _originals(
    home: Home, record: IntakeRecord
) -> dict[tuple[int, str | None, str], tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    path = originals_path(home, record.delivery_id, record.interpretation_id)
    if not path.exists():
        return {}
    return {
        (row["source_row"], row["source_cell"], row["kind"]): (
            json.loads(row["record"]),
            json.loads(row["original"]) if row["original"] else None,
        )
        for row in pl.read_parquet(path).iter_rows(named=True)
    }


def export(records: Iterator[RefusedRecord], target: Path) -> int:
    """Write refused records with their originals as CSV, readable by the owner only.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    header = [
        "delivery_id",
        "file",
        "source_row",
        "source_cell",
        "place",
        "kind",
        "owner",
        "code",
        "field",
        "message",
        "suggestion",
        "record",
        "original",
    ]
    n_written = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for record in records:
            first = record.problems[0]
            cells = [
                record.delivery_id,
                record.file,
                record.source_row,
                record.source_cell,
                record.place,
                record.kind,
                record.owner,
                ", ".join(dict.fromkeys(problem["code"] for problem in record.problems)),
                first["field"],
                "; ".join(problem["message"] for problem in record.problems),
                first["suggestion"],
                _as_json(record.record),
                _as_json(record.original),
            ]
            writer.writerow([inert(cell) for cell in cells])
            n_written += 1
    return n_written


def inert(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _as_json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _folder(home: Home, record: IntakeRecord) -> Path:
    return interpretation_folder(home, record.delivery_id, record.interpretation_id)
