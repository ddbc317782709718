"""Variance components and effects of crossed ratings, by Tessera; reading them is not timed."""

from __future__ import annotations

import json
import sys
import time

import polars as pl

from pipelines.measurement.components import estimate


def main() -> int:
    """Estimate from a Parquet file of learner, assessor and level."""
    ratings = pl.read_parquet(sys.argv[1])
    started = time.perf_counter()
    found = estimate(ratings)
    seconds = time.perf_counter() - started
    told = {"fit": seconds, **{f"variance_{key}": found.variances[key] for key in found.variances}}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
