"""What a promise finds in delivered files, in words: the rows by which people find it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

ROWS_TOLD = 5
"""So many rows of a file are told; the rest are found from there."""


def find(query: str, accepted: tuple[Path, ...]) -> list[tuple[Any, ...]]:
    """Return what the query of a promise finds in delivered files."""
    with duckdb.connect() as con:
        return con.execute(
            query.format(batch="read_parquet($paths)"),
            {"paths": [str(path) for path in accepted]},
        ).fetchall()


def first_few(found: Sequence[tuple[Any, ...]], say: Callable[..., str]) -> list[str]:
    """Return the first few that were found in words, and that there are more."""
    more = ["and more"] if len(found) > ROWS_TOLD else []
    return [say(*row) for row in found[:ROWS_TOLD]] + more


def in_words(told: Iterable[str]) -> str:
    """Return what was found as words for `str.format`."""
    return "; ".join(told).replace("{", "{{").replace("}", "}}")


def day_or(day: date, unbounded: str) -> str:
    """Return a day as it is written, or other words for one that stands for no limit."""
    return unbounded if day in (date.min, date.max) else day.isoformat()
