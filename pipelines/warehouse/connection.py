"""The one place that opens `build.duckdb`, and the marts beside it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.errors import first_line
from pipelines.home import Home, marts_beside
from pipelines.settings import Settings
from pipelines.sql import literal

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
TIME_ZONE = "UTC"
MARTS = "marts"
"""What the database of the marts is attached as: `marts.<mart>` names one of them."""
OLDEST_READER = "v1.3.0"
"""The storage version of marts and so of editions: DuckDB 1.3 and everything since can read it."""


class WarehouseError(Exception):
    """The warehouse cannot do what was asked; the message says why and what to do."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse file."""


def session_settings(home: Home, settings: Settings) -> dict[str, str]:
    """Return the DuckDB settings that every session on the warehouse shares.

    The time zone is fixed because a cast from instant to day would otherwise follow the machine.
    """
    return {
        "memory_limit": settings.memory_limit,
        "threads": str(settings.workers),
        "temp_directory": str(home.spill),
        "preserve_insertion_order": "false",
        "TimeZone": TIME_ZONE,
    }


@contextmanager
def open_warehouse(
    home: Home, settings: Settings, *, read_only: bool = False, patience: float = 20
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, waiting for a process that is about to let go of it.

    Args:
        home: whose warehouse.
        settings: memory and threads.
        read_only: open without the right to write; the file must exist.
        patience: seconds to wait for another process.

    Raises:
        WarehouseBusyError: another process held the file all that time.
        WarehouseError: there is nothing to read yet.
    """
    if read_only and not home.warehouse.exists():
        raise WarehouseError(f"{home.warehouse} does not exist yet: run `tessera run` first")
    for path, version in ((home.warehouse, "latest"), (home.marts, OLDEST_READER)):
        if not read_only and not path.exists():
            _make(path, version)
    connection = _connect(home, read_only=read_only, patience=patience)
    try:
        for name, value in session_settings(home, settings).items():
            connection.execute(f"set {name} = '{value}'")
        attach_marts(connection, home.warehouse, read_only=read_only)
        yield connection
    finally:
        connection.close()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done on a connection as one, or nothing of it."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


@contextmanager
def session(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session of its own on an open warehouse, for another thread."""
    with con.cursor() as own:
        own.execute(f"set TimeZone = '{TIME_ZONE}'")
        yield own


def attach_marts(
    con: duckdb.DuckDBPyConnection, warehouse: Path, *, read_only: bool = False
) -> None:
    """Attach the marts that lie beside an open warehouse.

    Warehouses of older versions have a schema of that name instead: it is read as it is, and goes
    where there is the right to write.
    """
    older = con.execute(
        "select 1 from duckdb_schemas() "
        "where database_name = current_database() and schema_name = ?",
        [MARTS],
    ).fetchall()
    if older and not read_only:
        con.execute(f"drop schema {MARTS} cascade")
    if not (read_only and (older or not marts_beside(warehouse).exists())):
        attach(con, marts_beside(warehouse), MARTS, read_only=read_only)


def attach(
    con: duckdb.DuckDBPyConnection, database: Path, name: str, *, read_only: bool = False
) -> None:
    """Attach a database of marts; one that is made so has the storage version of editions."""
    option = "read_only" if read_only else f"storage_version '{OLDEST_READER}'"
    con.execute(f"attach if not exists {literal(database)} as {name} ({option})")


def copy_warehouse(home: Home, copy: Home) -> None:
    """Copy a warehouse that nobody has open, with its marts, into another home.

    Raises:
        WarehouseError: it has no marts of its own yet, as one that an older version built.
    """
    if not home.marts.exists():
        raise WarehouseError(f"{home.marts} does not exist yet: run `tessera run` first")
    shutil.copyfile(home.warehouse, copy.warehouse)
    shutil.copyfile(home.marts, copy.marts)


def _make(path: Path, storage_version: str) -> None:
    """Make an empty database under another name first.

    DuckDB cannot open a file that a kill left before its headers were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    begun.unlink(missing_ok=True)
    with duckdb.connect() as con:
        con.execute(f"attach {literal(begun)} as begun (storage_version '{storage_version}')")
    with suppress(FileExistsError):  # another process was faster
        os.link(begun, path)
    begun.unlink()


def _connect(home: Home, *, read_only: bool, patience: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return duckdb.connect(str(home.warehouse), read_only=read_only)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
            if time.monotonic() + pause > deadline:
                raise WarehouseBusyError(
                    f"another process holds {home.warehouse}: wait for it to end and try again "
                    f"({first_line(error)})"
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
