"""The present outcome of events: one SQL text, used by the ledger and by the load alike."""

from __future__ import annotations

from functools import cache
from pathlib import Path

OUTCOMES = ("accepted", "duplicate", "superseded", "voided", "quarantined")
EVENT_COLUMNS = (
    "event_id",
    "record_key",
    "content_hash",
    "source_version",
    "known_at",
    "source_row",
    "source_cell",
)
"""Columns of a segment that the outcome rests on, besides its kind and delivery."""
UNCONTESTED = "accepted"
"""The outcome of an event that is alone: nothing repeats, corrects, withdraws or outlives it."""
CONFLICT = "conflict"
CONFLICT_REMEDY = (
    "correct the id, or withdraw the first one at the source; if this source does correct its "
    "records, write on_change: version in its spec"
)
NO_REFUSED = "(select null::varchar as delivery_id, null::varchar as record_key where false)"


@cache
def _text() -> str:
    return (Path(__file__).parent / "resolve.sql").read_text(encoding="utf-8")


def resolve_sql(events: str, refused: str = NO_REFUSED) -> str:
    """Return a query of what became of each of a relation of events.

    Its columns are `event_id`, `present_outcome`, `gone_at` (where the snapshot in force lacks the
    record: since when) and `conflicts_with` (the event that stays in its place). It reads the
    tables of `standing.put_in` too.

    Args:
        events: name of a table or view with `kind`, `delivery_id` and `EVENT_COLUMNS`; it may be
            limited to some record keys, if it has all events of these.
        refused: a relation of `delivery_id` and `record_key` of refused records.
    """
    return _text().replace("{events}", events).replace("{refused}", refused)


def contested_sql(events: str, voids: str) -> str:
    """Return a query of the record keys for which `resolve_sql` must be asked.

    Every other event is the only one that its record has, no void is about it, and no full snapshot
    can lack it: of such an event `resolve_sql` says `UNCONTESTED`. Most events are like that, so
    that only few need to be sorted. Keys are long: those that come once are left out by their hash.

    Args:
        events: name of a table or view with `record_key` and `delivery_id`.
        voids: a query of the record keys that voids are about.
    """
    return f"""
        select record_key from {events}
        where hash(record_key) in (
            select hashed from (select hash(record_key) as hashed from {events})
            group by hashed having count(*) > 1
        )
        group by record_key having count(*) > 1
        union
        select record_key from ({voids})
        union
        select record_key from {events}
        where delivery_id in (
            select delivery_id from standing_delivery
            where source_id in (select source_id from standing_arrival)
        )
    """  # noqa: S608 - own names


def conflict_message(row: str, delivery_id: str) -> str:
    """Return an expression that says of a quarantined newcomer which record stays in its place."""
    return (
        f"'the record says something else than row ' || {row} || ' of ' || {delivery_id} "
        "|| ', which has the same id, came first and stays'"
    )
