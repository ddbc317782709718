"""How rows get into the tables of `raw`, and how a number is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import polars as pl

from pipelines.warehouse.raw_schema import OTHER_TABLES

Row = dict[str, Any]
Rows = pl.DataFrame | list[Row]


def number(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the one number that a query gives."""
    return int(con.execute(query).fetchall()[0][0])


def replace_all(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Rows]) -> None:
    """Replace all rows of some tables of `raw`."""
    for table, rows in tables.items():
        replace(con, table, rows)


def replace(con: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    """Replace all rows of a table of `raw` that holds no events."""
    con.execute(f'delete from raw."{table}"')
    insert(con, f'raw."{table}"', rows, list(OTHER_TABLES[table]))


def insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: Rows,
    columns: Sequence[str] | None = None,
) -> None:
    """Insert rows by name; what the table has no column for is left out."""
    if not len(rows):
        return
    frame = _frame(rows, columns) if isinstance(rows, list) else rows
    if columns is not None:
        frame = frame.select(name for name in columns if name in frame.columns)
    con.register("rows_to_insert", frame.to_arrow())
    con.execute(f"insert into {table} by name select * from rows_to_insert")
    con.unregister("rows_to_insert")


def select_list(schema: Iterable[str], found: set[str] | None = None) -> str:
    """Return a select list; columns that are not among those found are null."""
    return ", ".join(
        f'"{name}"' if found is None or name in found else f'null as "{name}"' for name in schema
    )


def _frame(rows: Sequence[Row], columns: Sequence[str] | None) -> pl.DataFrame:
    names = columns or list(rows[0])
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, strict=False)
