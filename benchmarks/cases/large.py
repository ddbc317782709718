"""Intake of files of gigabytes: how much memory it takes, and how long."""

from __future__ import annotations

import shutil

from benchmarks import homes, records
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

SIZES = (5_000,)
"""Megabytes of the file."""
SAMPLE = 100_000
LIMIT_MIB = 2_048
NAMES: dict[records.Format, str] = {"jsonl": "JSON Lines", "csv": "CSV", "parquet": "Parquet"}


def measure(options: Options) -> Measured:
    """Take in one file of each format at every size, once; it is removed afterwards."""
    cases = [
        _case(form, megabytes, options) for megabytes in options.chosen(SIZES) for form in NAMES
    ]
    return Measured(
        cases=tuple(cases),
        settings={
            "size": "megabytes of the file",
            "workers": 2,
            "fields": 21,
            "memory": "the peak of the process tree; pages that processes share count once",
            "memory_wanted": f"under {LIMIT_MIB:,} MiB",
            "parquet": "neither compressed nor with dictionaries, so that it is large",
            "runs_of_each": 1,
        },
        versions=versions("polars", "pydantic", "duckdb", "pyarrow"),
    )


def rows_of(megabytes: int, bytes_of_sample: int) -> int:
    """Return how many records make a file of so many megabytes, by the size of a sample."""
    return max(1, megabytes * 1_000_000 * SAMPLE // bytes_of_sample)


def _case(form: records.Format, megabytes: int, options: Options) -> Case:
    work = homes.fresh(options.cache / "work" / "large")
    sample = records.write(work / f"sample.{form}", form, SAMPLE, plain=True)
    size = rows_of(megabytes, sample.stat().st_size)
    sample.unlink()
    home = homes.fresh(work / "home")
    inbox = home / "inbox" / f"bench_{form}"
    roster = records.write_roster(work / f"roster-{size}.csv", size)
    records.write(inbox / f"wba-{size}.{form}", form, size, plain=True)
    homes.drop(home, {"bench_roster": [roster]})
    homes.age(home / "inbox")
    try:
        figures = interleave(
            {
                "ours": Contestant(
                    "Tessera",
                    size,
                    homes.worker("intake", "--home", home, "--site", homes.SITE),
                    environment=homes.environment(),
                    prepare=homes.flush,
                )
            },
            1,
            options.observer,
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Case(name=NAMES[form], size=megabytes, unit="record", ours=figures["ours"])
