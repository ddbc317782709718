"""Intake: from the inbox to loaded and ledgered, beside DuckDB's typed read and dlt."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import environments, homes, records
from benchmarks.figures import Case, Figure
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

FORMATS: tuple[records.Format, ...] = ("jsonl", "csv")
SIZES = (100_000, 1_000_000)
LONG = (10_000_000,)
RIVAL_SIZE = 50_000
"""What dlt does in under a minute as it comes."""
RIVAL = ["dlt[duckdb,parquet]==1.31.0", "orjson==3.13.0"]
"""The rival; polars, pydantic and DuckDB come at the versions that we run with."""
NAMES = {"jsonl": "JSON Lines", "csv": "CSV"}


def measure(options: Options) -> Measured:
    """Measure every format at every size."""
    rival = _Rival(options.cache)
    cases = [
        _case(form, size, options, rival)
        for form in FORMATS
        for size in options.chosen(SIZES, LONG)
    ]
    return Measured(
        cases=tuple(cases),
        settings={
            "workers": 2,
            "rows_of_the_rival": RIVAL_SIZE,
            "rival": "the pydantic contract judges each row (data_type: discard_row); rows and "
            "default settings, as its first page shows",
            "rival_tuned": "pages of 5,000, files of 25,000, Parquet to DuckDB, two processes",
            "fields": 21,
            "refused": "2 in 1,000",
            "with": "the roster of the learners, taken in along with the records",
            "timed": "the whole process, from its start to its end",
        },
        versions=versions("polars", "pydantic", "duckdb", "great-expectations") | rival.versions,
    )


class _Rival:
    """dlt in an environment of its own, or why it is not there."""

    def __init__(self, cache: Path) -> None:
        self.versions: dict[str, str] = {}
        self.why_not: str | None = None
        self.python = Path()
        ours = versions("duckdb", "polars", "pydantic")
        wanted = [*RIVAL, *(f"{name}=={version}" for name, version in ours.items())]
        try:
            made = environments.environment(cache, "dlt", wanted)
        except environments.MissingRivalError as error:
            self.why_not = str(error)
            return
        self.python = made.python
        self.versions = {"dlt": made.versions.get("dlt", "")}

    def contestant(
        self, label: str, file: Path, work: Path, clear: Callable[[], None], *flags: str
    ) -> Contestant:
        """Return dlt as it loads a file by one of its ways."""
        database, folder = work / "rival.duckdb", work / "dlt"
        return Contestant(
            label,
            RIVAL_SIZE,
            [
                str(self.python),
                "-m",
                "benchmarks.rivals.dlt_load",
                *flags,
                str(file),
                str(database),
                str(folder),
            ],
            environment=homes.environment(),
            prepare=clear,
            version=self.versions.get("dlt", ""),
            why_not=self.why_not,
        )


def _case(form: records.Format, size: int, options: Options, rival: _Rival) -> Case:
    data = options.cache / "data"
    work = homes.fresh(options.cache / "work" / "intake")
    file = records.write(data / f"wba-{size}.{form}", form, size)
    rivals_file = records.write(data / f"wba-{RIVAL_SIZE}.{form}", form, RIVAL_SIZE)
    roster = records.write_roster(data / f"roster-{size}.csv", size)
    home = work / "home"

    def fill() -> None:
        homes.fresh(home)
        homes.drop(home, {"bench_roster": [roster], f"bench_{form}": [file]})
        homes.flush()

    def clear() -> None:
        for name in ("floor.duckdb", "rival.duckdb"):
            (work / name).unlink(missing_ok=True)
        shutil.rmtree(work / "dlt", ignore_errors=True)
        homes.flush()

    figures = interleave(
        {
            "ours": Contestant(
                "Tessera",
                size,
                homes.worker("intake", "--home", home, "--site", homes.SITE),
                environment=homes.environment(),
                prepare=fill,
            ),
            "floor": Contestant(
                "DuckDB, typed read",
                size,
                [
                    sys.executable,
                    "-m",
                    "benchmarks.rivals.duckdb_read",
                    str(file),
                    str(work / "floor.duckdb"),
                ],
                environment=homes.environment(),
                prepare=clear,
                version=versions("duckdb").get("duckdb", ""),
            ),
            "rival": rival.contestant("dlt", rivals_file, work, clear),
            "tuned": rival.contestant("dlt, tuned", rivals_file, work, clear, "--tuned"),
        },
        options.runs,
        options.observer,
    )
    shutil.rmtree(work, ignore_errors=True)
    return Case(name=NAMES[form], size=size, unit="record", **_roles(figures))


def _roles(figures: dict[str, Figure]) -> dict[str, Figure]:
    return {role: figures[role] for role in ("ours", "floor", "rival", "tuned")}
