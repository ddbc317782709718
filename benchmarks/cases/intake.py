"""Intake: from the inbox to loaded and ledgered, beside DuckDB's typed read and dlt."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks import environments, homes, records
from benchmarks.figures import Case, Figure
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

FORMATS: tuple[records.Format, ...] = ("jsonl", "csv")
SIZES = (100_000, 1_000_000)
LONG = (10_000_000,)
RIVAL_SIZE = 100_000
"""What dlt does in well under a minute by its fastest path."""
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
            "path_of_the_rival": "the pydantic contract judges each row (data_type: discard_row), "
            "pages of 5,000, Parquet to DuckDB, two processes",
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


def _case(form: records.Format, size: int, options: Options, rival: _Rival) -> Case:
    data = options.cache / "data"
    work = homes.fresh(options.cache / "work" / "intake")
    file = records.write(data / f"wba-{size}.{form}", form, size)
    n_rival = min(size, RIVAL_SIZE)
    rivals_file = records.write(data / f"wba-{n_rival}.{form}", form, n_rival)
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
            "rival": Contestant(
                "dlt",
                n_rival,
                [
                    str(rival.python),
                    "-m",
                    "benchmarks.rivals.dlt_load",
                    str(rivals_file),
                    str(work / "rival.duckdb"),
                    str(work / "dlt"),
                ],
                environment=homes.environment(),
                prepare=clear,
                version=rival.versions.get("dlt", ""),
                why_not=rival.why_not,
            ),
        },
        options.runs,
        options.observer,
    )
    shutil.rmtree(work, ignore_errors=True)
    return Case(name=NAMES[form], size=size, unit="record", **_roles(figures))


def _roles(figures: dict[str, Figure]) -> dict[str, Figure]:
    return {role: figures[role] for role in ("ours", "floor", "rival")}
