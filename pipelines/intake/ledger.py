"""What became of every record of every delivery, worked out from the log alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home
from pipelines.intake.present import Present, as_it_stands, present
from pipelines.intake.records import (
    IntakeRecord,
    Receipt,
    deliveries,
    receipts,
)
from pipelines.intake.resolve import OUTCOMES
from pipelines.intake.standing import standing
from pipelines.sources.readers.parts import PARTS

WAITING_STATUSES = {"held", "unreadable", "refused", "incomplete"}
"""Of a delivery or file: somebody must see to it as a whole."""


@dataclass(frozen=True)
class Tally:
    """What the ledger comes to, all deliveries together.

    Attributes:
        statuses: how many deliveries, and files that were not taken in, have which status.
        records: how many records have which present outcome.
    """

    statuses: Mapping[str, int]
    records: Mapping[str, int]

    @property
    def needs_a_person(self) -> bool:
        """Whether something waits for somebody."""
        waiting = sum(self.statuses.get(status, 0) for status in WAITING_STATUSES)
        return waiting > 0 or self.records.get("quarantined", 0) > 0


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
    vanished: int = 0
    """Records, accepted or voided, that the newest full snapshot of the source lacks."""
    parts: dict[str, int] = {}
    """Rows of each sheet or member, where the file has several."""
    arrivals: int = 1
    reason: str | None = None
    """Why the whole file is held, unreadable or not taken in."""
    owner: str | None = None
    replayed_by: str | None = None
    """Who corrected the records, where the delivery is a replay."""

    @property
    def needs_a_person(self) -> bool:
        """Whether something of it waits for somebody."""
        return self.quarantined > 0 or self.status in WAITING_STATUSES

    def as_json(self) -> dict[str, Any]:
        """Return the entry as machines read it."""
        return self.model_dump(mode="json")


def ledger(home: Home, delivery_id: str | None = None) -> list[LedgerEntry]:
    """Return every delivery with the present outcome of its records, by arrival."""
    received = deliveries(home)
    stands = standing(home)
    now = present(home, stands)
    arrivals: Counter[str] = Counter(
        receipt.delivery_id for receipt in receipts(home) if receipt.delivery_id is not None
    )
    entries = [
        _entry(receipt, stands.records.get(item), now, arrivals[item])
        for item, receipt in received.items()
    ]
    entries += [_not_taken_in(receipt) for receipt in open_refusals(home)]
    entries.sort(key=lambda entry: (entry.known_at, entry.delivery_id))
    return [entry for entry in entries if delivery_id in (None, entry.delivery_id)]


def tally(entries: Iterable[LedgerEntry]) -> Tally:
    """Return what entries come to."""
    statuses: Counter[str] = Counter()
    records: Counter[str] = Counter()
    for entry in entries:
        statuses[entry.status] += 1
        records.update({outcome: getattr(entry, outcome) for outcome in OUTCOMES})
    return Tally(statuses, records)


def tally_as_loaded(home: Home, statuses: Mapping[str, int], records: Mapping[str, int]) -> Tally:
    """Return what the ledger comes to by what a load told, without reading the log once more.

    Args:
        home: where deliveries are that were not read yet, and files that were not taken in.
        statuses: how many deliveries have which status.
        records: how many records have which present outcome.
    """
    told = Counter(statuses)
    told["received"] += len(deliveries(home)) - told.total()
    told.update(receipt.status for receipt in open_refusals(home))
    return Tally(+told, {name: records.get(name, 0) for name in OUTCOMES})


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


def _entry(
    receipt: Receipt, record: IntakeRecord | None, now: Present, arrivals: int
) -> LedgerEntry:
    common: dict[str, Any] = {
        "delivery_id": receipt.delivery_id,
        "source": receipt.source_id,
        "file": receipt.file,
        "known_at": receipt.known_at,
        "arrivals": arrivals,
        "owner": receipt.owner,
        "replayed_by": receipt.replayed_by,
    }
    if record is None:
        return LedgerEntry(status="received", reason="not read yet", **common)
    outcomes = now.outcomes.get(record.delivery_id, Counter())
    mended = now.replayed.get(record.delivery_id, Counter())
    held = record.n_events if record.status == "held" else 0
    reasons = Counter(record.reasons) + now.codes.get(record.delivery_id, Counter())
    reasons.subtract(mended)
    stands = as_it_stands(record, now.matches.get(record.delivery_id))
    return LedgerEntry(
        status=stands.status,
        source_rows=record.source_rows,
        rows_read=record.rows_read,
        accepted=outcomes["accepted"],
        duplicate=outcomes["duplicate"],
        superseded=outcomes["superseded"] + mended.total(),
        voided=outcomes["voided"],
        quarantined=record.refused + held + outcomes["quarantined"] - mended.total(),
        vanished=now.vanished[record.delivery_id],
        reasons={code: n for code, n in reasons.items() if n}
        | ({record.error.code: 0} if record.error else {}),
        parts={part["name"]: part["rows"] for part in record.read.get("facts", {}).get(PARTS, ())},
        reason=stands.reason_as_whole,
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
