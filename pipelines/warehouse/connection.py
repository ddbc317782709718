"""The one place that opens `build.duckdb`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.settings import Settings

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
TIME_ZONE = "UTC"


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
    if not home.warehouse.exists():
        _make(home.warehouse)
    connection = _connect(home, read_only=read_only, patience=patience)
    try:
        for name, value in session_settings(home, settings).items():
            connection.execute(f"set {name} = '{value}'")
        yield connection
    finally:
        connection.close()


@contextmanager
def session(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session of its own on an open warehouse, for another thread."""
    with con.cursor() as own:
        own.execute(f"set TimeZone = '{TIME_ZONE}'")
        yield own


def _make(path: Path) -> None:
    """Make an empty database under another name first.

    DuckDB cannot open a file that a kill left before its headers were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    begun.unlink(missing_ok=True)
    duckdb.connect(str(begun)).close()
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
                    f"({_first_line(error)})"
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
