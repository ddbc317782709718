"""Ids for rows that have none: rows of equal content are the same record.

Exports that overlap repeat rows, and a file may rightly hold equal rows. So the nth of equal rows
of one file is the same record as the nth of another, and a union of files holds a row as often as
the file that holds it most.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

DIGITS = 32
_KEY_DIGITS = 15


class RowIdentity:
    """Makes the ids of the rows of one file, stretch after stretch, in the order of the file."""

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered
        self._met: list[pl.DataFrame] = []

    def of(self, cells: Sequence[pl.Series]) -> pl.Series:
        """Return an id for each row of some columns; null where all of them are empty."""
        frame = pl.DataFrame({f"{n}": cell for n, cell in enumerate(cells)})
        framed = [
            pl.concat_str(pl.col(name).str.len_bytes().cast(pl.String), pl.lit(":"), pl.col(name))
            for name in frame.columns
        ]
        text = pl.concat_str([part.fill_null("-") for part in framed])
        texts = frame.select(  # noqa: F841 - DuckDB finds it by name
            pl.when(pl.any_horizontal(pl.all().is_not_null())).then(text).alias("text")
        ).to_arrow()
        with duckdb.connect(config={"threads": 1}) as connection:
            query = f"select left(sha256(text), {DIGITS}) as digest from texts"  # noqa: S608
            digests: pl.DataFrame = connection.sql(query).pl()
        return self._number(digests) if self._numbered else digests["digest"]

    def _number(self, digests: pl.DataFrame) -> pl.Series:
        frame = digests.with_columns(
            pl.col("digest").str.head(_KEY_DIGITS).str.to_integer(base=16).alias("key"),
            pl.int_range(1, pl.len() + 1).over("digest").alias("nth"),
        )
        keys = frame.group_by("key").len("n")
        earlier = [met.join(keys.select("key"), on="key", how="semi") for met in self._met]
        before = (
            pl.concat([keys.clear(), *earlier]).group_by("key").agg(pl.col("n").sum().alias("n"))
        )
        self._met.append(keys)
        nth = pl.col("nth") + pl.col("n").fill_null(0)
        number = pl.when(nth > 1).then(pl.concat_str(pl.lit("-"), nth)).otherwise(pl.lit(""))
        return frame.join(before, on="key", how="left", maintain_order="left").select(
            pl.concat_str("digest", number).alias("id")
        )["id"]
