"""Latency: one file dropped into the inbox of a standing home, to the edition published."""

from __future__ import annotations

import shutil
import sys
from itertools import count

from benchmarks import homes, records
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

SIZES = (20_000, 200_000)
LONG = (1_000_000,)
NEWS = 100
"""Records in the file that is dropped."""


def measure(options: Options) -> Measured:
    """Measure on homes with histories of several sizes."""
    cases = [_case(size, options) for size in options.chosen(SIZES, LONG)]
    shutil.rmtree(options.cache / "work" / "latency", ignore_errors=True)
    return Measured(
        cases=tuple(cases),
        settings={
            "records_in_the_file": NEWS,
            "timed": "`tessera run --no-pack`, the whole process, with the second that a new "
            "file must have been left alone",
        },
        versions=versions("dbt-core", "great-expectations", "duckdb"),
    )


def _case(size: int, options: Options) -> Case:
    home = homes.published(options.cache, "latency", size)
    inbox = home / "inbox" / "bench_csv"
    numbers = count()

    def drop() -> None:
        start = size + next(numbers) * NEWS
        homes.flush()
        records.write(inbox / f"news-{start}.csv", "csv", NEWS, start=start, of=size)

    figures = interleave(
        {
            "ours": Contestant(
                "Tessera",
                1,
                homes.tessera("run", "--home", home, "--no-pack"),
                environment=homes.environment(),
                prepare=drop,
                good_codes=frozenset({0, 1}),
            ),
            "floor": Contestant("Python starts and ends", 1, [sys.executable, "-c", "pass"]),
        },
        options.runs,
        options.observer,
    )
    return Case(
        name="file dropped to edition published",
        size=size,
        unit="file",
        ours=figures["ours"],
        floor=figures["floor"],
    )
