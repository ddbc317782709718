"""The committee pack, for each page of a learner, beside reading the same rows."""

from __future__ import annotations

import shutil
import sys

from benchmarks import homes, records
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

SIZES = (50, 200)
LONG = (1_000,)
RECORDS_OF_A_LEARNER = 140


def measure(options: Options) -> Measured:
    """Measure packs of so many learners."""
    cases = [_case(size, options) for size in options.chosen(SIZES, LONG)]
    shutil.rmtree(options.cache / "work" / "pack", ignore_errors=True)
    return Measured(
        cases=tuple(cases),
        settings={
            "records_of_a_learner": RECORDS_OF_A_LEARNER,
            "timed": "the whole process, from its start to its end",
        },
        versions=versions("jinja2", "vl-convert-python", "duckdb"),
    )


def _case(n_learners: int, options: Options) -> Case:
    n_records = n_learners * RECORDS_OF_A_LEARNER
    home = homes.published(options.cache, "pack", n_records)
    pages = records.learners(n_records)
    floor = home.parent / "floor"

    def without_pack() -> None:
        homes.fresh(home / "packs")
        homes.flush()

    def empty() -> None:
        homes.fresh(floor)

    figures = interleave(
        {
            "ours": Contestant(
                "Tessera",
                pages,
                homes.worker("pack", home),
                environment=homes.environment(),
                prepare=without_pack,
            ),
            "floor": Contestant(
                "DuckDB, rows as JSON",
                pages,
                [
                    sys.executable,
                    "-m",
                    "benchmarks.rivals.duckdb_learners",
                    str(home / "editions" / "current" / "portfolio.duckdb"),
                    str(floor),
                ],
                environment=homes.environment(),
                prepare=empty,
                version=versions("duckdb").get("duckdb", ""),
            ),
        },
        options.runs,
        options.observer,
    )
    return Case(name="pack", size=pages, unit="page", ours=figures["ours"], floor=figures["floor"])
