"""What a standard says about a file, entry by entry, and where in the file it says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One thing that a standard forbids, or that is worth knowing, at one place."""

    code: str
    field: str
    message: str
    suggestion: str
    requirement: str | None = None
    """The clause of the standard, such as `CASE 1.0 CFItem.identifier`."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on one entry of a file: refused where there are errors; notes refuse nothing."""

    row: int
    place: str
    """Where a person finds the entry: a row of a table, a member of an archive, or a JSON path."""
    errors: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


Checker = Callable[[Path], Iterator[Judgement]]
"""Judges a file. Raises `Unreadable` where the file is not of the standard at all."""
