"""Build: all marts with their tests, in full and after one more night, beside plain storing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import homes, records
from benchmarks.figures import Case, Figure
from benchmarks.machine import versions
from benchmarks.measure import Contestant, Observer, interleave
from benchmarks.registry import Measured, Options
from pipelines.home import Home

SIZES = (100_000, 1_000_000)
LONG = (10_000_000,)
MEMORY_AT_LONG = "6GB"
NIGHT = 0.001
"""What a night adds to the history: a thousandth of it."""


def measure(options: Options) -> Measured:
    """Measure a full build and the build after one more night, at every size."""
    cases: list[Case] = []
    for size in options.chosen(SIZES, LONG):
        cases += _cases(size, options)
    shutil.rmtree(options.cache / "work" / "build", ignore_errors=True)
    return Measured(
        cases=tuple(cases),
        settings={
            "records_of_a_learner": 140,
            "competencies": records.N_COMPETENCIES,
            "night": f"{NIGHT:.1%} more records",
            "timed": "the whole process, with its imports, of build and data tests",
            "at 10 million": f"each side once, DuckDB with {MEMORY_AT_LONG}",
        },
        versions=versions("dbt-core", "dbt-duckdb", "duckdb"),
    )


def _cases(size: int, options: Options) -> list[Case]:
    home = homes.loaded(options.cache, "build", size)
    homes.call(homes.tessera("calibrate", "--home", home))
    folder = home.parent
    warehouse = Home(home)
    standing = {path: folder / path.name for path in (warehouse.warehouse, warehouse.marts)}
    runs = options.runs_at(size, LONG)
    given = {"TESSERA_MEMORY_LIMIT": MEMORY_AT_LONG} if size in LONG else {}
    turns = partial(_turns, home=home, given=given, runs=runs, observer=options.observer)
    full = turns(size, _segments(home), ["--full-refresh"])
    n_night = max(1, round(size * NIGHT))
    night = records.write(
        options.cache / "data" / f"night-{size}.csv", "csv", n_night, start=size, of=size
    )
    homes.drop(home, {"bench_csv": [night]})
    before = set(_segments(home))
    homes.call(homes.worker("intake", "--home", home, "--site", homes.SITE))
    for path, kept in standing.items():
        shutil.copyfile(path, kept)
    news = sorted(set(_segments(home)) - before)

    def restore() -> None:
        for path, kept in standing.items():
            shutil.copyfile(kept, path)

    after = turns(n_night, news, [], restore)
    return [
        Case(name="full", size=size, unit="record", ours=full["ours"], floor=full["floor"]),
        Case(
            name=f"after a night of {n_night:,}",
            size=size,
            unit="record",
            ours=after["ours"],
            floor=after["floor"],
        ),
    ]


def _turns(
    work: int,
    segments: list[Path],
    flags: list[str],
    restore: Callable[[], None] = lambda: None,
    *,
    home: Path,
    given: dict[str, str],
    runs: int,
    observer: Observer,
) -> dict[str, Figure]:
    stored = home.parent / "stored.duckdb"

    def ready() -> None:
        restore()
        homes.flush()

    def clear() -> None:
        stored.unlink(missing_ok=True)
        homes.flush()

    return interleave(
        {
            "ours": Contestant(
                "Tessera",
                work,
                homes.worker("build", "--home", home, *flags),
                environment=homes.environment() | given,
                prepare=ready,
            ),
            "floor": homes.storing(work, stored, segments, clear),
        },
        runs,
        observer,
    )


def _segments(home: Path) -> list[Path]:
    return sorted((home / "log" / "deliveries").glob("*/*/workplace_assessment*.parquet"))
