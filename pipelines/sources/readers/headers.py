"""Names of columns from the lines above a table."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from pipelines.sources.readers.base import LINE, SOURCE_ROW, Unreadable

MAX_COLUMNS = 20_000

Compared = Literal["exact", "trimmed", "folded"]
"""How headers are compared: as written, without outer and double spaces, or without case."""


def header_of(rows: list[list[str]], compared: Compared) -> list[str]:
    """Return the columns that lines of a header name: all different, none without a name.

    Raises:
        Unreadable: the lines are too long for a header.
    """
    return unique([header_name(name, compared) for name in _joined(rows)])


def numbered(width: int) -> list[str]:
    """Return the names of columns without a header."""
    return [f"column_{n}" for n in range(1, width + 1)]


def _joined(rows: list[list[str]]) -> list[str]:
    """Return the header of several lines as one, the cells of a column joined by a space."""
    width = max(map(len, rows))
    if width > MAX_COLUMNS:
        raise Unreadable(
            "unreadable_file",
            f"The first line has {width} cells: this is no header.",
            "Check the delimiter and the encoding of the file.",
        )
    if len(rows) == 1:
        return rows[0]
    return [
        " ".join(filter(None, (row[n].strip() for row in rows if n < len(row))))
        for n in range(width)
    ]


def header_name(name: str, how: Compared) -> str:
    """Return a header as it is compared."""
    if how == "exact":
        return name
    trimmed = re.sub(r"[\s\ufeff]+", " ", name).strip()
    return trimmed.lower() if how == "folded" else trimmed


def unique(names: list[str]) -> list[str]:
    """Name columns without a header by position, and number headers that stand twice."""
    named = [name or f"column_{n}" for n, name in enumerate(names, start=1)]
    counts = Counter(named)
    seen: Counter[str] = Counter()
    made = []
    for name in named:
        seen[name] += 1
        made.append(f"{name}#{seen[name]}" if counts[name] > 1 else name)
    while len(set(made)) < len(made) or {SOURCE_ROW, LINE} & set(made):
        made = [
            f"{name}_" if name in (SOURCE_ROW, LINE) or name in made[:n] else name
            for n, name in enumerate(made)
        ]
    return made
