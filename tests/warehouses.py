"""Warehouses of tests: a file, and the marts beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.home import marts_beside
from pipelines.warehouse.connection import attach_marts


def connected(warehouse: Path, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """Connect to a warehouse and its marts, in UTC."""
    con = duckdb.connect(str(warehouse), read_only=read_only)
    con.execute("set TimeZone = 'UTC'")
    attach_marts(con, warehouse, read_only=read_only)
    return con


@contextmanager
def opened(warehouse: Path, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse and its marts for a block."""
    with connected(warehouse, read_only=read_only) as con:
        yield con


def copied(warehouse: Path, folder: Path) -> Path:
    """Copy a warehouse and its marts into a folder, under their names."""
    for path in (warehouse, marts_beside(warehouse)):
        shutil.copyfile(path, folder / path.name)
    return folder / warehouse.name
