"""Vast: from the evidence log to an edition where a whole nation's schools share one home."""

from __future__ import annotations

from benchmarks.cases import whole
from benchmarks.registry import Measured, Options

SIZES = (10_000_000,)
MEMORY_LIMIT = "6GB"
SECONDS_WANTED = 300
GIB_WANTED = 8


def measure(options: Options) -> Measured:
    """Measure the way from the log to an edition, and a night on top, once."""
    sizes = options.chosen(SIZES)
    return whole.measured(
        options,
        sizes,
        once=sizes,
        memory_limit=MEMORY_LIMIT,
        settings={
            "DuckDB may take": MEMORY_LIMIT,
            "memory": "the peak of the process tree; pages that processes share count once",
            "wanted": f"the edition in under {SECONDS_WANTED} seconds and {GIB_WANTED} GiB",
            "runs_of_each": 1,
        },
    )
