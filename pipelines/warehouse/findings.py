"""What the current edition found that a person must see to: what contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.home import Home
from pipelines.warehouse.editions import CURRENT
from pipelines.warehouse.tables import parquet_of

TABLE = "programme_data_quality"
NEEDED = {"sentence", "suggestion", "needs_a_person", "is_quarantined"}


@dataclass(frozen=True)
class OpenFinding:
    """A finding as a sentence, and what to do about it."""

    sentence: str
    suggestion: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.suggestion}"


def open_findings(home: Home) -> list[OpenFinding]:
    """Return what waits for a person in the current edition; the ledger has what was refused.

    An edition that is older than these findings has none.
    """
    path = home.editions / CURRENT / parquet_of(TABLE)
    if not path.exists() or not NEEDED.issubset(pl.read_parquet_schema(path)):
        return []
    rows = pl.read_parquet(path, columns=list(NEEDED))
    found = rows.filter(pl.col("needs_a_person") & ~pl.col("is_quarantined")).sort("sentence")
    return [OpenFinding(row["sentence"], row["suggestion"]) for row in found.iter_rows(named=True)]
