"""The two kinds of record that intake itself writes: receipts and intake records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home, write_atomically

INTAKE_RECORD = "intake.json"
REFUSED = "refused.parquet"
NOTES = "notes.parquet"
"""What lies beside the events of an interpretation."""


class LogEntry(BaseModel):
    """Something written once to the log."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        """Return the entry as it is stored."""
        return self.model_dump_json(indent=2).encode() + b"\n"


class Receipt(LogEntry):
    """One arrival in the inbox, taken in or not."""

    receipt_id: str
    delivery_id: str | None
    source_id: str | None
    file: str
    """The name relative to the inbox."""
    bytes: int
    sha256: str | None
    modified_ns: int
    changed_ns: int | None = None
    """When the file system changed the file last, which no program can set."""
    known_at: AwareDatetime
    received_at: AwareDatetime
    status: Literal["received", "refused", "incomplete"]
    code: str | None = None
    reason: str | None = None
    owner: str | None = None
    manifest_rows: int | None = None
    replayed_by: str | None = None
    """Who corrected the records, where a person sent refused records again."""

    @property
    def shelf(self) -> str:
        """Return the folder of receipts that this one lies in: its delivery, or its file."""
        return self.receipt_id.rpartition(".")[0]


class Hold(BaseModel):
    """Why a delivery is held whole, and who sees to it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: str
    reason: str
    owner: str


class ReadError(BaseModel):
    """Why a delivery as a whole cannot be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        """Return what is wrong and what to do."""
        return " ".join(filter(None, (self.message, self.suggestion)))


class IntakeRecord(LogEntry):
    """What reading one delivery under one interpretation gave."""

    delivery_id: str
    interpretation_id: str
    source_id: str
    file: str
    sha256: str
    known_at: AwareDatetime
    interpreted_at: AwareDatetime
    spec_version: str
    contract_versions: dict[str, int]
    status: Literal["committed", "held", "unreadable"]
    hold: Hold | None = None
    error: ReadError | None = None
    owner: str
    source_rows: int
    rows_read: int
    accepted_events: dict[str, int]
    refused: int
    reasons: dict[str, int]
    notes: dict[str, int]
    read: dict[str, Any] = {}
    check: dict[str, Any] = {}
    on_change: Literal["version", "conflict"] = "version"
    """What another content under the id of a record is to this source."""
    snapshot: Literal["append", "full"] = "append"
    vanished: Literal["keep", "withdraw"] = "keep"
    """What becomes of records that a later snapshot lacks."""
    min_snapshot_share: float = 0.0
    """The least part of the snapshot before it that a snapshot must hold."""
    nameless: int = 0
    """Refused records whose id is not known."""
    created_by_code_version: str
    waits_for_roster: bool = False
    """Whether records of learners whom no roster names wait until one does."""
    min_match_share: float | None = None
    """The share of its learners that a roster must know, or the delivery is held whole."""
    max_days_ahead: float | None = None
    """How long after the delivery became known a record may say that something took place."""
    erased: int = 0
    """Rows that an erasure took out; they count nowhere else."""
    replays: int = 0
    """How many refused records of other deliveries it mends; 0 for what a source sent."""

    @property
    def reason_as_whole(self) -> str | None:
        """Why the delivery as a whole is held or unreadable."""
        if self.hold is not None:
            return self.hold.reason
        return str(self.error) if self.error is not None else None

    @property
    def n_events(self) -> int:
        """Return how many events the segments hold."""
        return sum(self.accepted_events.values())


def receipt_path(home: Home, receipt: Receipt) -> Path:
    """Return where a receipt is kept."""
    shelf, _, number = receipt.receipt_id.rpartition(".")
    return home.receipts / shelf / f"{number}.json"


def write_receipt(home: Home, receipt: Receipt) -> None:
    """Add a receipt to the log."""
    write_atomically(receipt_path(home, receipt), receipt.to_bytes())


def receipts(home: Home, shelf: str = "*") -> Iterator[Receipt]:
    """Yield the receipts of the log, by shelf and in order of arrival."""
    paths = [path for path in home.receipts.glob(f"{shelf}/*.json") if path.stem.isdecimal()]
    for path in sorted(paths, key=lambda path: (path.parent.name, int(path.stem))):
        yield Receipt.model_validate_json(path.read_bytes())


def deliveries(home: Home) -> dict[str, Receipt]:
    """Return the receipt of every delivery taken in that was known first."""
    first: dict[str, Receipt] = {}
    for receipt in receipts(home):
        if receipt.status == "received" and receipt.delivery_id is not None:
            known = first.setdefault(receipt.delivery_id, receipt)
            if receipt.known_at < known.known_at:
                first[receipt.delivery_id] = receipt
    return first


def first_receipt(home: Home, delivery_id: str) -> Receipt:
    """Return the receipt that a delivery is known by.

    Raises:
        KeyError: no such delivery was received.
    """
    came = list(receipts(home, delivery_id))
    if not came:
        raise KeyError(f"no delivery {delivery_id} in {home.receipts}")
    return min(came, key=lambda receipt: receipt.known_at)


def interpretation_folder(home: Home, delivery_id: str, interpretation_id: str) -> Path:
    """Return where a committed interpretation lies."""
    return home.deliveries / delivery_id / interpretation_id


def record_folder(home: Home, record: IntakeRecord) -> Path:
    """Return where the interpretation lies that an intake record tells of."""
    return interpretation_folder(home, record.delivery_id, record.interpretation_id)


def segments(folder: Path, kind: str) -> list[Path]:
    """Return the files of the events of a kind, in their order: one, or several numbered ones.

    Workers write them as they stand in the log, `<kind>.parquet` or `<kind>.000001.parquet` and so
    on, so that no row is written twice.
    """
    return sorted((*folder.glob(f"{kind}.parquet"), *folder.glob(f"{kind}.*.parquet")))


def segments_by_kind(folder: Path) -> dict[str, list[Path]]:
    """Return the files of the events of each kind that a folder of nothing else holds."""
    kinds = {kind_of(path) for path in folder.glob("*.parquet")}
    return {kind: segments(folder, kind) for kind in sorted(kinds)}


def kind_of(segment: Path) -> str:
    """Return the kind of the events that a file holds, by its name."""
    return segment.name.partition(".")[0]


def segment_name(kind: str, number: int, of: int) -> str:
    """Return how one of several files of events is called."""
    return f"{kind}.parquet" if of == 1 else f"{kind}.{number:06}.parquet"


def is_committed(home: Home, delivery_id: str, interpretation_id: str) -> bool:
    """Tell whether an interpretation is in the log."""
    return (interpretation_folder(home, delivery_id, interpretation_id) / INTAKE_RECORD).exists()


def intake_records(home: Home, delivery_id: str = "*") -> Iterator[IntakeRecord]:
    """Yield every intake record, older interpretations included."""
    for path in sorted(home.deliveries.glob(f"{delivery_id}/*/{INTAKE_RECORD}")):
        yield IntakeRecord.model_validate_json(path.read_bytes())


def active_records(
    home: Home, delivery_id: str = "*", known_at: datetime | None = None
) -> list[IntakeRecord]:
    """Return the intake record in force of each delivery: its newest interpretation.

    Args:
        home: the home to look in.
        delivery_id: only this one.
        known_at: only deliveries that were known by then.
    """
    by_delivery: dict[str, list[IntakeRecord]] = defaultdict(list)
    for record in intake_records(home, delivery_id):
        if known_at is None or record.known_at <= known_at:
            by_delivery[record.delivery_id].append(record)
    return [
        max(records, key=lambda record: (record.interpreted_at, record.interpretation_id))
        for _, records in sorted(by_delivery.items())
    ]
