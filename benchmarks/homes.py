"""Homes to measure in, and what lies in their inboxes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import records
from benchmarks.machine import versions
from benchmarks.measure import Contestant

ROOT = Path(__file__).parents[1]
SITE = Path(__file__).parent / "sites" / "wba"
LONG_AGO = 1_700_000_000
"""When files are said to have been written: receiving waits for files that are still young."""


def environment(home: Path | None = None) -> dict[str, str]:
    """Return the variables that a program of ours runs with."""
    chosen = {
        "TESSERA_SITE": str(SITE),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # as installed programs have it
    }
    return chosen if home is None else chosen | {"TESSERA_HOME": str(home)}


def worker(name: str, *arguments: str | Path) -> list[str]:
    """Return the command of a measured program of ours."""
    return [sys.executable, "-m", f"benchmarks.workers.{name}", *map(str, arguments)]


def tessera(*arguments: str | Path) -> list[str]:
    """Return a command of the command line."""
    return [sys.executable, "-m", "pipelines", *map(str, arguments)]


def fresh(folder: Path) -> Path:
    """Return the folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def drop(home: Path, files: Mapping[str, Sequence[Path]]) -> None:
    """Put files into the inbox, by source, as if they had lain there long."""
    for source, paths in files.items():
        for path in paths:
            target = home / "inbox" / source / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            os.utime(target, (LONG_AGO, LONG_AGO))


def age(folder: Path) -> None:
    """Make every file of a folder look as if it had lain there long."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))


def flush() -> None:
    """Let the disk take what earlier runs wrote, so that no run pays for another."""
    os.sync()


class FailedError(Exception):
    """A home could not be made ready; the message is the end of what was said."""


def call(command: Sequence[str], home: Path | None = None) -> None:
    """Run a command of ours to make something ready.

    Raises:
        FailedError: it failed.
    """
    done = subprocess.run(
        list(command),
        env=os.environ | environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise FailedError(" ".join((done.stderr or done.stdout).split())[-300:])


def loaded(cache: Path, name: str, size: int) -> Path:
    """Return a new home with a roster and so many assessments loaded, and nothing built."""
    home = fresh(cache / "work" / name / "home")
    data = cache / "data"
    roster = records.write_roster(data / f"roster-{size}.csv", size)
    step = records.BLOCK * 10
    files = [
        records.write(
            data / f"wba-{size}-part{start // step}.csv",
            "csv",
            min(step, size - start),
            start,
            of=size,
        )
        for start in range(0, size, step)
    ]
    drop(home, {"bench_roster": [roster], "bench_csv": files})
    call(worker("intake", "--home", home, "--site", SITE))
    return home


def published(cache: Path, name: str, size: int) -> Path:
    """Return a new home with an edition of so many assessments, and no pack."""
    home = loaded(cache, name, size)
    call(tessera("run", "--home", home, "--no-pack"))
    return home


def storing(
    size: int, stored: Path, segments: Sequence[Path], prepare: Callable[[], None]
) -> Contestant:
    """Return the floor of builds: DuckDB scans, sorts and stores the same segments."""
    return Contestant(
        "DuckDB: scan, sort, store",
        size,
        [
            sys.executable,
            "-m",
            "benchmarks.rivals.duckdb_store",
            str(stored),
            *map(str, segments),
        ],
        environment=environment(),
        prepare=prepare,
        version=versions("duckdb").get("duckdb", ""),
    )
