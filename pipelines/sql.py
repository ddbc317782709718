"""Values written into SQL where no parameter can be bound: in views, settings and `attach`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def literal(value: str | Path) -> str:
    """Return a text or a path as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def literal_list(values: Iterable[str | Path]) -> str:
    """Return texts or paths as an SQL list, such as `read_parquet` takes."""
    return f"[{', '.join(map(literal, values))}]"
