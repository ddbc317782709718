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


@cache
def _text() -> str:
    return (Path(__file__).parent / "resolve.sql").read_text(encoding="utf-8")


def resolve_sql(events: str) -> str:
    """Return a query of `event_id` and `present_outcome` over a relation of events.

    Args:
        events: name of a table or view with `kind`, `delivery_sha256` and `EVENT_COLUMNS`; it may
            be limited to some record keys, if it has all events of these.
    """
    return _text().replace("{events}", events)
