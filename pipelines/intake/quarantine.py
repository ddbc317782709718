"""What was refused, waits or is held: by cause, and one by one with the original.

Outside `restricted/` there are only pointers, codes and masked values; the originals shown here
are personal data.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home
from pipelines.identity.vault import persons
from pipelines.intake.aside import HELD, REPLAYED_SCHEMA, WORDS, field_at_fault, replayed
from pipelines.intake.ledger import open_refusals
from pipelines.intake.present import (
    Present,
    as_it_stands,
    mended,
    present,
    replayed_of,
    still_refused,
)
from pipelines.intake.records import IntakeRecord
from pipelines.intake.resolve import CONFLICT, CONFLICT_REMEDY
from pipelines.intake.segment import originals_path
from pipelines.intake.standing import standing
from pipelines.sources.readers.parts import place_of

FREE_TEXT_CODES = frozenset({"patient_identifier", "contact_detail", "birth_date"})
"""Codes of records that a named person may let in as they are."""

Place = tuple[str, int, str | None, str, str | None]
"""Where a refused record was read: delivery, row, cell, kind; and its key, where it has one."""


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
    where: str
    """Where a person finds the row, such as `Marks, row 17`."""
    kind: str
    record_key: str | None = None
    owner: str
    problems: list[dict[str, Any]]
    record: dict[str, Any] | None = None
    """The record as the source spec mapped it; restricted."""
    original: dict[str, Any] | None = None
    """The row as it was delivered; restricted."""
    is_refused: bool = True
    """False where it was accepted, and waits or is held."""

    @property
    def is_releasable(self) -> bool:
        """Tell whether all that is wrong is something found in free text, perhaps wrongly."""
        return self.is_refused and {p["code"] for p in self.problems} <= FREE_TEXT_CODES

    @property
    def place(self) -> Place:
        """Return where the record was read."""
        return self.delivery_id, self.source_row, self.source_cell, self.kind, self.record_key

    @property
    def fingerprint(self) -> str:
        """Return a short hash of the record, its original and what is wrong with it."""
        codes = [(problem["code"], problem["field"]) for problem in self.problems]
        text = json.dumps([self.place, self.record, self.original, codes], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def causes(home: Home) -> list[Cause]:
    """Return what waits for a person, grouped by cause, the most frequent first."""
    stands = standing(home)
    records = list(stands.records.values())
    now = present(home, stands)
    found = list(_refused_causes(home, records, now))
    found += _aside_causes(records, now)
    found += _conflict_causes(records, now)
    stand = [as_it_stands(record, now.matches.get(record.delivery_id)) for record in records]
    found += [_whole(record) for record in stand if record.status != "committed"]
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


class Settled(BaseModel):
    """Records that were refused for the same reason, and that nobody has to see to any more."""

    model_config = ConfigDict(frozen=True)

    source: str
    kind: str
    code: str
    n_records: int
    settled_by: str
    """The delivery in which the record came again, and was good."""
    how: str


def settled(home: Home) -> list[Settled]:
    """Return which refusals are settled, and how: the source sent the record again, or a person.

    What stood aside is counted with what was refused.
    """
    stands = standing(home)
    records = stands.records
    now = present(home, stands)
    found: Counter[tuple[str, str, str, str]] = Counter()
    by_place = now.settled.select(*REPLAYED_SCHEMA, "settled_by")
    for delivery_id in sorted(set(by_place["delivery_id"])):
        record = records[delivery_id]
        for (by,), places in by_place.filter(delivery_id=delivery_id).group_by("settled_by"):
            first = replayed_of(home, record, places.drop("settled_by")).filter("is_first")
            for kind, code in first.select("kind", "code").iter_rows():
                found[record.source_id, kind, code, str(by)] += 1
    aside = now.settled_aside.select("delivery_id", "kind", "code", "settled_by")
    for delivery_id, kind, code, by in aside.iter_rows():
        found[records[delivery_id].source_id, kind, code, by] += 1
    return [
        Settled(
            source=source,
            kind=kind,
            code=code,
            n_records=n,
            settled_by=by,
            how="a person corrected it" if records[by].replays else "its source sent it again",
        )
        for (source, kind, code, by), n in sorted(found.items())
    ]


def _refused_causes(home: Home, records: Sequence[IntakeRecord], now: Present) -> Iterator[Cause]:
    places = mended(replayed(home, records), now.settled)
    frames = [
        still_refused(home, record, places).with_columns(
            pl.lit(record.source_id).alias("source"),
            pl.lit(record.delivery_id).alias("delivery_id"),
            pl.lit(record.known_at).alias("since"),
        )
        for record in records
        if record.refused
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


def _aside_causes(records: Sequence[IntakeRecord], now: Present) -> Iterator[Cause]:
    """Yield the causes of accepted records that wait; those of held deliveries are told whole."""
    by_id = {record.delivery_id: record for record in records}
    waiting = now.aside.filter(pl.col("code") != HELD)
    grouped: dict[tuple[str, str, str], list[tuple[IntakeRecord, int]]] = defaultdict(list)
    counted = waiting.group_by("delivery_id", "kind", "code").agg(pl.len().alias("n"))
    for delivery_id, kind, code, n in counted.sort("delivery_id", "kind").rows():
        record = by_id[delivery_id]
        grouped[record.source_id, kind, code].append((record, n))
    for (source_id, kind, code), found in sorted(grouped.items()):
        yield Cause(
            source=source_id,
            kind=kind,
            code=code,
            field=field_at_fault(code, kind),
            owner=found[0][0].owner,
            n_records=sum(n for _, n in found),
            n_deliveries=len(found),
            since=min(record.known_at for record, _ in found),
            message=WORDS[code].message,
            suggestion=WORDS[code].suggestion,
        )


def _conflict_causes(records: Sequence[IntakeRecord], now: Present) -> Iterator[Cause]:
    by_id = {record.delivery_id: record for record in records}
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for conflict in now.conflicts.sort("delivery_id", "source_row").iter_rows(named=True):
        grouped[by_id[conflict["delivery_id"]].source_id, conflict["kind"]].append(conflict)
    for (source_id, kind), found in sorted(grouped.items()):
        of_cause = [by_id[name] for name in {conflict["delivery_id"] for conflict in found}]
        yield Cause(
            source=source_id,
            kind=kind,
            code=CONFLICT,
            field="record_id",
            owner=of_cause[0].owner,
            n_records=len(found),
            n_deliveries=len(of_cause),
            since=min(record.known_at for record in of_cause),
            message=found[0]["message"],
            suggestion=CONFLICT_REMEDY,
        )


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
        suggestion="Mend the source spec, and the next run reads it again; or send the file again",
    )


def show(
    home: Home,
    *,
    delivery_id: str | None = None,
    row: int | None = None,
    code: str | None = None,
    source: str | None = None,
    limit: int | None = None,
    waiting: bool = True,
) -> Iterator[RefusedRecord]:
    """Yield refused records with their originals, in the order of the log.

    Args:
        home: the home to look in.
        delivery_id: only this delivery.
        row: only this row.
        code: only records with such a problem.
        source: only deliveries of this source.
        limit: at most so many.
        waiting: whether accepted records that wait or are held are shown too.
    """
    n_shown = 0
    stands = standing(home)
    records = list(stands.records.values())
    now = present(home, stands)
    places = mended(replayed(home, records), now.settled)
    for record in records:
        if delivery_id not in (None, record.delivery_id) or source not in (None, record.source_id):
            continue
        found = [*_refused(home, record, places)]
        if waiting:
            found += [*_standing_aside(home, record, now), *_in_conflict(record, now)]
        for refused in found:
            codes = {problem["code"] for problem in refused.problems}
            if (row is None or refused.source_row == row) and (code is None or code in codes):
                if limit is not None and n_shown >= limit:
                    return
                n_shown += 1
                yield refused


def _refused(home: Home, record: IntakeRecord, places: pl.DataFrame) -> Iterator[RefusedRecord]:
    if not record.refused:
        return
    problems: dict[Place, list[dict[str, Any]]] = {}
    owners: dict[Place, str] = {}
    for row in still_refused(home, record, places).iter_rows(named=True):
        where = (
            record.delivery_id,
            row["source_row"],
            row["source_cell"],
            row["kind"],
            row["record_key"],
        )
        owners[where] = row["owner"]
        problems.setdefault(where, []).append(
            {name: row[name] for name in ("code", "field", "message", "value_masked", "suggestion")}
        )
    originals = _originals(home, record)
    facts = record.read.get("facts", {})
    for where, found in problems.items():
        _, source_row, source_cell, kind, record_key = where
        as_mapped, as_delivered = originals.get(where) or originals.get(
            (*where[:4], None), (None, None)
        )
        yield RefusedRecord(
            delivery_id=record.delivery_id,
            source=record.source_id,
            file=record.file,
            source_row=source_row,
            source_cell=source_cell,
            where=str(place_of(facts, source_row)),
            kind=kind,
            record_key=record_key,
            owner=owners[where],
            problems=found,
            record=as_mapped,
            original=as_delivered,
        )


def _standing_aside(home: Home, record: IntakeRecord, now: Present) -> Iterator[RefusedRecord]:
    """Yield accepted records that wait or are held, with the learner whom they name."""
    aside = now.aside.filter(pl.col("delivery_id") == record.delivery_id)
    if not aside.height:
        return
    named = persons(home, [(record.delivery_id, record.interpretation_id)])
    ids = dict(named.filter(pl.col("role") == "learner").select("pseudonym", "person_id").rows())
    for row in aside.sort("source_row", "source_cell", "kind").iter_rows(named=True):
        words = WORDS[row["code"]]
        yield RefusedRecord(
            delivery_id=record.delivery_id,
            source=record.source_id,
            file=record.file,
            source_row=row["source_row"],
            source_cell=row["source_cell"],
            where=str(place_of(record.read.get("facts", {}), row["source_row"])),
            kind=row["kind"],
            record_key=row["record_key"],
            owner=record.owner,
            problems=[
                {
                    "code": row["code"],
                    "field": field_at_fault(row["code"], row["kind"]) or "learner_id",
                    "message": words.message,
                    "value_masked": None,
                    "suggestion": words.suggestion,
                }
            ],
            record={"learner_id": ids[row["learner"]]} if row["learner"] in ids else None,
            is_refused=False,
        )


def _in_conflict(record: IntakeRecord, now: Present) -> Iterator[RefusedRecord]:
    """Yield accepted records that say something else than the first of their id."""
    found = now.conflicts.filter(pl.col("delivery_id") == record.delivery_id)
    for row in found.sort("source_row", "source_cell", "kind").iter_rows(named=True):
        yield RefusedRecord(
            delivery_id=record.delivery_id,
            source=record.source_id,
            file=record.file,
            where=str(place_of(record.read.get("facts", {}), row["source_row"])),
            source_row=row["source_row"],
            source_cell=row["source_cell"],
            kind=row["kind"],
            record_key=row["record_key"],
            owner=record.owner,
            problems=[
                {
                    "code": CONFLICT,
                    "field": "record_id",
                    "message": row["message"],
                    "value_masked": None,
                    "suggestion": CONFLICT_REMEDY,
                }
            ],
            is_refused=False,
        )


def _originals(
    home: Home, record: IntakeRecord
) -> dict[Place, tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    path = originals_path(home, record.delivery_id, record.interpretation_id)
    if not path.exists():
        return {}
    return {
        (
            record.delivery_id,
            row["source_row"],
            row["source_cell"],
            row["kind"],
            row.get("record_key"),
        ): (
            json.loads(row["record"]),
            json.loads(row["original"]) if row["original"] else None,
        )
        for row in pl.read_parquet(path).iter_rows(named=True)
    }
