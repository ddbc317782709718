"""Files that hold several tables: sheets of a workbook, members of an archive.

Each part is a reading of its own, with its own header. Rows are numbered through the whole file,
so that a delivery and a row number name one row; `place_of` turns the number back into what a
person sees: which part, and which row of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.sources.readers.base import SOURCE_ROW, Chunk, Opener, Reading, Unreadable, Wanted

PARTS = "parts"
LINES_ABOVE = "lines_above"
"""Fact of a part: how many lines stand above its first row, where people count them as rows."""

EMPTY = frozenset({"empty_file", "header_only", "no_records"})
"""Codes of a table without rows, which is no fault where another part of the file has some."""


def read_parts(facts: dict[str, Any], openers: Mapping[str, Opener], wanted: Wanted) -> Reading:
    """Return the reading of a file whose parts are opened one after the other.

    Parts that nothing is asked of are not opened.

    Args:
        facts: what is known of the file as a whole; `parts` is added while it is read.
        openers: how each part is opened, by name, in the order of the file.
        wanted: what the mapping asks of the file.
    """
    reading = Reading(facts=facts, chunks=iter(()), parts=dict.fromkeys(openers))
    facts[PARTS] = []
    reading.chunks = _chunks(reading, openers, wanted)
    return reading


def _chunks(reading: Reading, openers: Mapping[str, Opener], wanted: Wanted) -> Iterator[Chunk]:
    before = 0
    parts: dict[str, Reading | None] = {} if reading.parts is None else reading.parts
    empty: Unreadable | None = None
    for name, opener in openers.items():
        if not wanted.reads(name):
            continue
        told: dict[str, Any] = {
            "name": name,
            "first_row": before + 1,
            "last_row": before,
            "rows": 0,
        }
        reading.facts[PARTS].append(told)
        try:
            part = parts[name] = opener(wanted.of_part(name))
            told |= part.facts
            for chunk in part.chunks:
                told["rows"] += chunk.originals.height
                told["last_row"] = before + chunk.originals[SOURCE_ROW][-1]
                yield _moved(chunk, before, name)
            told |= part.facts
        except Unreadable as error:
            said = error if len(parts) == 1 else in_part(error, name)
            if error.code not in EMPTY or told["rows"]:
                raise said from None
            empty = empty or said
        before = told["last_row"]
    if not before:
        raise empty or no_rows()


def _moved(chunk: Chunk, by: int, part: str) -> Chunk:
    """Return a chunk of a part with its rows numbered through the whole file."""
    if not by:
        return replace(chunk, part=part)
    moved = pl.col(SOURCE_ROW) + by
    return Chunk(
        chunk.rows.with_columns(moved),
        chunk.originals.with_columns(moved),
        chunk.problems.with_columns(moved),
        part,
    )


def in_part(error: Unreadable, part: str) -> Unreadable:
    """Return what to say of a file because of one of its parts."""
    return Unreadable(error.code, f"{part}: {error.message}", error.suggestion)


def no_rows() -> Unreadable:
    """Return what to say of a file in which no part has a row."""
    return Unreadable(
        "empty_file",
        "The file holds no record.",
        "Check whether the export ended early, and send the file again.",
    )


def missing_part(glob: str, present: Iterable[str]) -> Unreadable:
    """Return what to say of a file that lacks a part of the spec."""
    listed = list(present)
    shown = ", ".join(repr(name) for name in listed[:40]) or "none"
    more = f" and {len(listed) - 40} more" if len(listed) > 40 else ""
    return Unreadable(
        "missing_part",
        f"The file has no part {glob!r}.",
        f"It has: {shown}{more}. If the part was renamed, write its name or a pattern in the spec; "
        "if it may be absent, write `part_optional: true`.",
    )


@dataclass(frozen=True)
class Place:
    """Where a person finds a row."""

    row: int
    part: str | None = None

    def __str__(self) -> str:
        return f"row {self.row}" if self.part is None else f"{self.part}, row {self.row}"


def place_of(facts: Mapping[str, Any], row: int) -> Place:
    """Return where a row of a file stands, by what reading found out about the file."""
    for part in reversed(facts.get(PARTS) or []):
        if part["first_row"] <= row <= part["last_row"]:
            above = part.get(LINES_ABOVE, 0)
            name = part["name"] if len(facts[PARTS]) > 1 or above else None
            return Place(row - part["first_row"] + 1 + above, name)
    return Place(row + facts.get(LINES_ABOVE, 0))
