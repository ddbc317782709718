"""A delivery as its promises see it, and the register of a suite for each kind of record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from expectations.registry import Suite


@dataclass(frozen=True)
class Delivery:
    """What is known of a delivery before its records are looked at.

    Attributes:
        owner: who works the exceptions of its source.
        known_at: when it arrived.
        source_rows: rows in the file.
        rows_read: records that reading made of them.
        accepted: the staged files of accepted events of each kind.
        refused: the staged file of refused records.
        notes: the staged file of oddities.
        scale_levels: the known levels as (scale, version, level).
        instruments: the known instruments.
        assessor_roles: the known roles.
        min_rows: the fewest rows that the source promises.
        max_rows: the most.
        max_refused_share: the largest share of records that may be refused.
        max_age_days: how old the newest event may be on arrival; None where not promised.
        manifest_rows: rows that the sender announced; None where nothing was.
    """

    owner: str
    known_at: datetime
    source_rows: int
    rows_read: int
    accepted: dict[str, tuple[Path, ...]]
    refused: Path
    notes: Path
    scale_levels: tuple[tuple[str, str, int], ...] = ()
    instruments: tuple[str, ...] = ()
    assessor_roles: tuple[str, ...] = ()
    min_rows: int | None = None
    max_rows: int | None = None
    max_refused_share: float | None = None
    max_age_days: int | None = None
    manifest_rows: int | None = None


SUITES: dict[str, Callable[[Delivery], Suite]] = {}
"""The suite of each kind of record, by its kind."""


def for_kind(kind: str) -> Callable[[Callable[[Delivery], Suite]], Callable[[Delivery], Suite]]:
    """Register the suite of a kind."""

    def register(maker: Callable[[Delivery], Suite]) -> Callable[[Delivery], Suite]:
        SUITES[kind] = maker
        return maker

    return register
