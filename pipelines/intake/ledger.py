"""What became of every record of every delivery, worked out from the log alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import duckdb
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import duckdb_type, segment_schema
from pipelines.home import Home
from pipelines.intake.records import (
    IntakeRecord,
    Receipt,
    active_records,
    deliveries,
    interpretation_folder,
    receipts,
)
from pipelines.intake.resolve import EVENT_COLUMNS, resolve_sql
from pipelines.sources.readers.parts import PARTS


class LedgerEntry(BaseModel):
    """One delivery, or one file that was not taken in."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    source: str | None
    file: str
    known_at: AwareDatetime
    status: str
    source_rows: int = 0
    rows_read: int = 0
    accepted: int = 0
    duplicate: int = 0
    superseded: int = 0
    voided: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = {}
    parts: dict[str, int] = {}
    """Rows of each sheet or member, where the file has several."""
    arrivals: int = 1
    reason: str | None = None
    """Why the whole file is held, unreadable or not taken in."""
    owner: str | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether something of it waits for somebody."""
        return self.quarantined > 0 or self.status in {
            "held",
            "unreadable",
            "refused",
            "incomplete",
        }

    def as_json(self) -> dict[str, Any]:
        """Return the entry as machines read it."""
        return self.model_dump(mode="json")


def ledger(home: Home, delivery_id: str | None = None) -> list[LedgerEntry]:
    """Return every delivery with the present outcome of its records, by arrival."""
    received = deliveries(home)
    active = {record.delivery_id: record for record in active_records(home)}
    outcomes = present_outcomes(home, active.values())
    arrivals: Counter[str] = Counter(
        receipt.delivery_id for receipt in receipts(home) if receipt.delivery_id is not None
    )
    entries = [
        _entry(receipt, active.get(item), outcomes.get(item, Counter()), arrivals[item])
        for item, receipt in received.items()
    ]
    entries += [_not_taken_in(receipt) for receipt in open_refusals(home)]
    entries.sort(key=lambda entry: (entry.known_at, entry.delivery_id))
    return [entry for entry in entries if delivery_id in (None, entry.delivery_id)]


def present_outcomes(home: Home, active: Iterable[IntakeRecord]) -> dict[str, Counter[str]]:
    """Return how many events of each delivery have which present outcome."""
    in_force = [record for record in active if record.status == "committed"]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    with duckdb.connect() as connection:
        _load_events(connection, home, in_force)
        rows = connection.execute(
            "select delivery_id, present_outcome, count(*) "  # noqa: S608 - constant text
            f"from ({resolve_sql('events')}) join events using (event_id) group by all"
        ).fetchall()
    for delivery, outcome, n in rows:
        counted[delivery][outcome] = n
    return counted


def open_refusals(home: Home) -> list[Receipt]:
    """Return the newest receipt of each file that was not taken in, nor since."""
    taken: dict[str, Receipt] = {}
    newest: dict[str, Receipt] = {}
    for receipt in receipts(home):
        if receipt.status == "received":
            known = taken.get(receipt.file)
            if known is None or known.received_at < receipt.received_at:
                taken[receipt.file] = receipt
        else:
            newest[receipt.shelf] = receipt
    return [receipt for receipt in newest.values() if not _was_taken_in_since(receipt, taken)]


def _was_taken_in_since(refused: Receipt, taken: dict[str, Receipt]) -> bool:
    """Tell whether the file, or the one that it was the beginning of, was taken in later."""
    return any(
        later.received_at >= refused.received_at
        and (
            file == refused.file
            or (refused.code == "half_written" and refused.file.startswith(file))
        )
        for file, later in taken.items()
    )


def _load_events(
    connection: duckdb.DuckDBPyConnection, home: Home, records: list[IntakeRecord]
) -> None:
    types = {"delivery_id": "varchar"} | {
        name: duckdb_type(dtype)
        for name, dtype in segment_schema(CONTRACTS["void"]).items()
        if name in EVENT_COLUMNS
    }
    listed = ", ".join(f"{name} {kind}" for name, kind in types.items())
    connection.execute(f"create table events ({listed}, kind varchar, delivery_sha256 varchar)")
    by_kind: dict[str, list[str]] = defaultdict(list)
    for record in records:
        folder = interpretation_folder(home, record.delivery_id, record.interpretation_id)
        for kind in record.accepted_events:
            by_kind[kind].append(str(folder / f"{kind}.parquet"))
    connection.execute("create table hashes (delivery_id varchar, sha256 varchar)")
    if records:
        connection.executemany(
            "insert into hashes values (?, ?)", [(r.delivery_id, r.sha256) for r in records]
        )
    for kind, paths in sorted(by_kind.items()):
        connection.execute(
            f"insert into events select {', '.join(types)}, ?, sha256 "  # noqa: S608 - own names
            "from read_parquet(?, union_by_name => true) join hashes using (delivery_id)",
            [kind, paths],
        )


def _entry(
    receipt: Receipt, record: IntakeRecord | None, outcomes: Counter[str], arrivals: int
) -> LedgerEntry:
    common: dict[str, Any] = {
        "delivery_id": receipt.delivery_id,
        "source": receipt.source_id,
        "file": receipt.file,
        "known_at": receipt.known_at,
        "arrivals": arrivals,
        "owner": receipt.owner,
    }
    if record is None:
        return LedgerEntry(status="received", reason="not read yet", **common)
    held = record.n_events if record.status == "held" else 0
    return LedgerEntry(
        status=record.status,
        source_rows=record.source_rows,
        rows_read=record.rows_read,
        accepted=outcomes["accepted"],
        duplicate=outcomes["duplicate"],
        superseded=outcomes["superseded"],
        voided=outcomes["voided"],
        quarantined=record.refused + held,
        reasons=record.reasons | ({record.error.code: 0} if record.error else {}),
        parts={part["name"]: part["rows"] for part in record.read.get("facts", {}).get(PARTS, ())},
        reason=record.reason_as_whole,
        **common,
    )


def _not_taken_in(receipt: Receipt) -> LedgerEntry:
    return LedgerEntry(
        delivery_id=receipt.shelf,
        source=receipt.source_id,
        file=receipt.file,
        known_at=receipt.known_at,
        status=receipt.status,
        reasons={receipt.code: 0} if receipt.code else {},
        reason=receipt.reason,
        owner=receipt.owner,
    )
