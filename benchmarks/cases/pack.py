"""The committee pack, for each page of a learner, beside reading the same rows.

Once from nothing, and once beside a pack that stands, when the evidence of a tenth has changed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks import editions, homes, records
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

SIZES = (50, 500)
LONG = (1_000,)
RECORDS_OF_A_LEARNER = 140


def measure(options: Options) -> Measured:
    """Measure packs of so many learners."""
    cases = [case for size in options.chosen(SIZES, LONG) for case in _cases(size, options)]
    shutil.rmtree(options.cache / "work" / "pack", ignore_errors=True)
    return Measured(
        cases=tuple(cases),
        settings={
            "records_of_a_learner": RECORDS_OF_A_LEARNER,
            "timed": "the whole process, from its start to its end",
        },
        versions=versions("jinja2", "vl-convert-python", "duckdb"),
    )


def _cases(n_learners: int, options: Options) -> tuple[Case, Case]:
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
    whole = Case(name="pack", size=pages, unit="page", ours=figures["ours"], floor=figures["floor"])
    return whole, _changed(home, pages, options)


def _changed(home: Path, pages: int, options: Options) -> Case:
    """Measure the pack of an edition in which a tenth changed, beside the pack before."""
    edition_id = editions.with_changed_learners(home, 10)
    homes.call(homes.worker("pack", home), home)

    def without_its_pack() -> None:
        shutil.rmtree(home / "packs" / edition_id, ignore_errors=True)
        homes.flush()

    figures = interleave(
        {
            "ours": Contestant(
                "Tessera",
                pages,
                homes.worker("pack", home, edition_id),
                environment=homes.environment(),
                prepare=without_its_pack,
            )
        },
        options.runs,
        options.observer,
    )
    return Case(name="pack, a tenth changed", size=pages, unit="page", ours=figures["ours"])
