"""How deliveries stand beside each other: what arrived when, what is held, which snapshot counts.

Everything here is a function of receipts and intake records, in order of what was known when, so
the order in which deliveries were worked through cannot matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.intake.records import Hold, IntakeRecord, Receipt, active_records, receipts

SHORT_SNAPSHOT = "delivery.snapshot_size"
"""The rule by which a snapshot is held that has far fewer records than the one before it."""

_Place = tuple[datetime, str, str]


@dataclass(frozen=True)
class Register:
    """The snapshot that says at present which records a source has."""

    source_id: str
    delivery_id: str
    arrived_at: datetime
    withdraws: bool
    """Whether a record that it lacks is withdrawn, or only reported."""


@dataclass(frozen=True)
class Standing:
    """The log as it stands at an instant.

    Attributes:
        records: the intake record in force of each delivery, as it stands.
        stamped: for each delivery the known-at that its segments carry.
        arrivals: when each delivery of a source of snapshots said what it says; several times,
            where it came several times.
        registers: the snapshot in force of each source of snapshots.
    """

    records: dict[str, IntakeRecord]
    stamped: dict[str, datetime]
    arrivals: tuple[tuple[str, str, datetime], ...]
    registers: tuple[Register, ...]

    @property
    def committed(self) -> list[IntakeRecord]:
        """Return the records of deliveries whose events count."""
        return [record for record in self.records.values() if record.status == "committed"]

    @property
    def known_earlier(self) -> dict[str, tuple[datetime, datetime]]:
        """Return deliveries that were known earlier than is written down: from when, to when."""
        return {
            name: (self.stamped[name], record.known_at)
            for name, record in self.records.items()
            if record.known_at != self.stamped[name]
        }


@dataclass(frozen=True)
class _Arrival:
    record: IntakeRecord
    receipt: Receipt

    @property
    def place(self) -> _Place:
        return self.receipt.known_at, self.record.sha256, self.receipt.receipt_id


def standing(
    home: Home,
    known_at: datetime | None = None,
    records: Iterable[IntakeRecord] | None = None,
) -> Standing:
    """Return how the deliveries of a home stand.

    Args:
        home: whose log.
        known_at: leave out arrivals that were not known by then.
        records: the intake records in force, where they were read already.
    """
    came: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts(home):
        if receipt.status == "received" and receipt.delivery_id is not None:
            came[receipt.delivery_id].append(receipt)
    in_force = active_records(home) if records is None else records
    active = {record.delivery_id: record for record in in_force}
    stand = {name: _as_first_known(record, came.get(name, ())) for name, record in active.items()}
    arrivals: list[_Arrival] = []
    for source in _by_source(stand.values(), came):
        counted, short = _judged(source)
        stand |= {record.delivery_id: record for record in short}
        arrivals += counted
    within = [a for a in arrivals if known_at is None or a.receipt.known_at <= known_at]
    return Standing(
        records=stand,
        stamped={name: record.known_at for name, record in active.items()},
        arrivals=tuple(
            sorted({(a.record.source_id, a.record.delivery_id, a.receipt.known_at) for a in within})
        ),
        registers=tuple(_registers(within)),
    )


def _as_first_known(record: IntakeRecord, came: Iterable[Receipt]) -> IntakeRecord:
    """Return a record with the known-at of its earliest arrival, which may have come to light late.

    Two copies of a file whose manifests name different days may be received in either order.
    """
    earliest = min(came, key=lambda receipt: receipt.known_at, default=None)
    if earliest is None or earliest.known_at >= record.known_at:
        return record
    return record.model_copy(update={"known_at": earliest.known_at, "file": earliest.file})


def _by_source(
    records: Iterable[IntakeRecord], came: dict[str, list[Receipt]]
) -> Iterator[list[_Arrival]]:
    """Yield the arrivals of each source of snapshots in the order in which they were known."""
    of_source: dict[str, list[_Arrival]] = defaultdict(list)
    for record in records:
        if record.snapshot == "full" and record.status == "committed":
            of_source[record.source_id] += [
                _Arrival(record, receipt) for receipt in came.get(record.delivery_id, ())
            ]
    for _, arrivals in sorted(of_source.items()):
        yield sorted(arrivals, key=lambda arrival: arrival.place)


def _judged(arrivals: list[_Arrival]) -> tuple[list[_Arrival], list[IntakeRecord]]:
    """Return the arrivals that count, and the deliveries that are held since they are too short.

    A manifest that announces the number of rows vouches for a snapshot of any size. A replay
    mends single records, and is no snapshot of all.
    """
    counted: list[_Arrival] = []
    held: dict[str, IntakeRecord] = {}
    last: _Arrival | None = None
    for arrival in arrivals:
        record, receipt = arrival.record, arrival.receipt
        if record.replays:
            counted.append(arrival)
            continue
        least = record.min_snapshot_share * last.record.rows_read if last is not None else 0
        if last is None or receipt.manifest_rows is not None or record.rows_read >= least:
            counted.append(arrival)
            last = arrival
        else:
            held[record.delivery_id] = _held(record, last)
    stand = {arrival.record.delivery_id for arrival in counted}
    return counted, [record for name, record in held.items() if name not in stand]


def _held(record: IntakeRecord, last: _Arrival) -> IntakeRecord:
    before = last.record
    reason = (
        f"the snapshot has {record.rows_read:,} records, the one of "
        f"{last.receipt.known_at:%Y-%m-%d} "
        f"({before.delivery_id}) has {before.rows_read:,}; at least "
        f"{record.min_snapshot_share:.0%} of them are expected: it may be cut off. Send the whole "
        f"export; if this is all, send it again with a manifest that says "
        f'"rows": {record.source_rows}'
    )
    hold = Hold(rule=SHORT_SNAPSHOT, reason=reason, owner=record.owner)
    reasons = record.reasons | ({"short_snapshot": record.n_events} if record.n_events else {})
    return record.model_copy(update={"status": "held", "hold": hold, "reasons": reasons})


def _registers(arrivals: list[_Arrival]) -> Iterator[Register]:
    """Yield for each source its newest snapshot in which every row could be told apart.

    A row that was refused without an id may be any record, so such a snapshot withdraws nothing.
    """
    newest: dict[str, _Arrival] = {}
    for arrival in arrivals:
        if not (arrival.record.nameless or arrival.record.replays):
            newest[arrival.record.source_id] = arrival
    for source_id, arrival in sorted(newest.items()):
        yield Register(
            source_id=source_id,
            delivery_id=arrival.record.delivery_id,
            arrived_at=arrival.receipt.known_at,
            withdraws=arrival.record.vanished == "withdraw",
        )


def put_in(connection: duckdb.DuckDBPyConnection, stands: Standing) -> None:
    """Make the temporary tables that `resolve_sql` reads beside the events."""
    several = Counter(delivery_id for _, delivery_id, _ in stands.arrivals)
    instant = pl.Datetime("us", "UTC")
    _table(
        connection,
        "standing_delivery",
        {
            "delivery_id": pl.String,
            "source_id": pl.String,
            "sha256": pl.String,
            "on_change": pl.String,
            "stamped_at": instant,
            "known_at": instant,
            "has_several_arrivals": pl.Boolean,
        },
        [
            (
                record.delivery_id,
                record.source_id,
                record.sha256,
                record.on_change,
                stands.stamped[record.delivery_id],
                record.known_at,
                several[record.delivery_id] > 1,
            )
            for record in stands.records.values()
        ],
    )
    _table(
        connection,
        "standing_arrival",
        {"source_id": pl.String, "delivery_id": pl.String, "arrived_at": instant},
        list(stands.arrivals),
    )
    _table(
        connection,
        "standing_register",
        {
            "source_id": pl.String,
            "delivery_id": pl.String,
            "arrived_at": instant,
            "withdraws": pl.Boolean,
        },
        [(r.source_id, r.delivery_id, r.arrived_at, r.withdraws) for r in stands.registers],
    )


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    schema: dict[str, Any],
    rows: list[tuple[object, ...]],
) -> None:
    connection.register("rows_of_table", pl.DataFrame(rows, schema=schema, orient="row").to_arrow())
    connection.execute(
        f"create or replace temp table {name} as select * from rows_of_table"  # noqa: S608
    )
    connection.unregister("rows_of_table")
