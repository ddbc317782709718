"""Whole: from the evidence log to a published edition, and one more night on top."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from benchmarks import homes, records
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options
from pipelines.home import Home

SIZES = (100_000, 200_000, 400_000)
"""Each twice the one before: what doubling the history adds to a night."""
LONG = (1_000_000, 2_000_000)
NIGHT = 10_000
"""Records that a night brings."""
RECENT = 28
"""Days from which the records of a night are."""
ACTIVE = 100_000
"""The history of the learners whom a night is about: the same at every size."""
STAGES = ("load", "build", "audit", "publish")


def measure(options: Options) -> Measured:
    """Measure the way from the log to an edition, and nights on top, at every size."""
    return measured(options, options.chosen(SIZES, LONG))


def measured(
    options: Options,
    sizes: Sequence[int],
    *,
    once: Collection[int] = LONG,
    memory_limit: str | None = None,
    settings: dict[str, Any] | None = None,
) -> Measured:
    """Measure at some sizes.

    Args:
        options: what was asked for.
        sizes: how many records of workplace-based assessments the log has.
        once: the sizes at which each side runs once.
        memory_limit: how much memory DuckDB may take; default: as it comes.
        settings: what else is told beside the figures.
    """
    given = {} if memory_limit is None else {"TESSERA_MEMORY_LIMIT": memory_limit}
    cases: list[Case] = []
    for size in sizes:
        cases += _cases(size, options, options.runs_at(size, tuple(once)), given)
    shutil.rmtree(options.cache / "work" / "whole", ignore_errors=True)
    return Measured(
        cases=tuple(cases),
        settings={
            "timed": "`tessera run --no-pack`, the whole process",
            "from the log": "the evidence is read and judged, ratings are calibrated; warehouse "
            "and editions are not there",
            "night": f"a file of {NIGHT:,} records of the same {records.learners(ACTIVE):,} "
            f"learners at every size, from the last {RECENT} days, with the second that a new file "
            "must have been left alone",
            "records_of_a_learner": 140,
        }
        | (settings or {}),
        versions=versions("dbt-core", "great-expectations", "duckdb"),
    )


def _cases(size: int, options: Options, runs: int, given: dict[str, str]) -> list[Case]:
    home = Home(homes.loaded(options.cache, "whole", size))
    homes.call(homes.tessera("calibrate", "--home", home.root))
    night = min(NIGHT, size)
    inbox = home.inbox / "bench_csv"
    numbers = count()
    segments = sorted(home.deliveries.glob("*/*/workplace_assessment*.parquet"))
    stored = home.root.parent / "stored.duckdb"

    def forget() -> None:
        for folder in (home.warehouse.parent, home.editions):
            shutil.rmtree(folder)
        homes.flush()

    def drop() -> None:
        start = size + next(numbers) * night
        records.write(
            inbox / f"night-{start}.csv",
            "csv",
            night,
            start=start,
            of=min(size, ACTIVE),
            last_days=RECENT,
        )
        homes.flush()

    def clear() -> None:
        stored.unlink(missing_ok=True)
        homes.flush()

    ours = Contestant(
        "Tessera",
        size,
        homes.tessera("run", "--home", home.root, "--no-pack", "--json"),
        environment=homes.environment() | given,
        prepare=forget,
        good_codes=frozenset({0, 1}),
        telling=_stages,
    )
    full = interleave(
        {"ours": ours, "floor": homes.storing(size, stored, segments, clear)},
        runs,
        options.observer,
    )
    nights = interleave({"ours": replace(ours, work=night, prepare=drop)}, runs, options.observer)
    return [
        Case(
            name="from the log to an edition",
            size=size,
            unit="record",
            ours=full["ours"],
            floor=full["floor"],
        ),
        Case(
            name=f"a night of {night:,} on top",
            size=size,
            unit="record",
            ours=nights["ours"],
        ),
    ]


def _stages(last: dict[str, Any]) -> dict[str, Any]:
    seconds = last.get("run", {}).get("seconds", {})
    return {f"{stage}_seconds": seconds[stage] for stage in STAGES if stage in seconds}
