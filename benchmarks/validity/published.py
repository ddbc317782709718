"""What an edition publishes, and the ids by which the truth is joined to it.

Nothing here reads the log, the vault or the warehouse: people in the edition are known by keys, and
which learner of the truth a key stands for follows from the records that name both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

DATABASE = "portfolio.duckdb"


@dataclass(frozen=True)
class Edition:
    """A published edition, open for reading."""

    con: duckdb.DuckDBPyConnection

    def frame(self, query: str) -> pl.DataFrame:
        """Return what a query finds."""
        found: pl.DataFrame = self.con.sql(query).pl()
        return found

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table; none where the edition has no such table."""
        rows = self.con.execute(
            "select column_name from duckdb_columns() where table_name = ?", [table]
        ).fetchall()
        return [row[0] for row in rows]

    def rules(self, rule_set: str) -> set[str]:
        """Return the rules of a rule set that are in force."""
        rows = self.con.execute(
            "select distinct rule_id from programme_rule where rule_set_id = ?", [rule_set]
        ).fetchall()
        return {row[0] for row in rows}

    def versions(self, rule_sets: Iterable[str]) -> dict[str, str]:
        """Return the version of each of these rule sets that is in force."""
        rows = self.con.execute(
            "select rule_set_id, max(rule_version) from programme_rule "
            "where list_contains(?, rule_set_id) group by rule_set_id order by rule_set_id",
            [list(rule_sets)],
        ).fetchall()
        return dict(rows)


@contextmanager
def opened(folder: Path) -> Iterator[Edition]:
    """Open an edition's database for reading."""
    with duckdb.connect(str(folder / DATABASE), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield Edition(con)


def learner_keys(edition: Edition, truth: Path) -> pl.DataFrame:
    """Return which key stands for which learner of the truth, by the forms of each.

    Two people who shared an id, or one who had two, make several keys or learners; the key that
    most of a learner's forms carry is taken.
    """
    ratings = pl.scan_parquet(truth / "ratings" / "*.parquet").select("record_id", "learner_id")
    facts = edition.frame(
        "select distinct form_record_id as record_id, learner_key from fct_evidence "
        "where kind = 'workplace_assessment'"
    ).lazy()
    counted = (
        ratings.join(facts, on="record_id")
        .group_by("learner_id", "learner_key")
        .agg(n=pl.len())
        .sort("n", "learner_key", descending=[True, False])
        .unique("learner_id", keep="first", maintain_order=True)
    )
    return counted.select("learner_id", "learner_key").sort("learner_id").collect()
