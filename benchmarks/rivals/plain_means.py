"""The floor of stringency: the plain mean of every learner and assessor."""

from __future__ import annotations

import json
import sys
import time

import polars as pl


def main() -> int:
    """Take the means of a Parquet file of learner, assessor and level."""
    ratings = pl.read_parquet(sys.argv[1])
    started = time.perf_counter()
    for factor in ("learner", "assessor"):
        ratings.group_by(factor).agg(pl.col("level").mean(), pl.len())
    sys.stdout.write(json.dumps({"fit": time.perf_counter() - started}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
