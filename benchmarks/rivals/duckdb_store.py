"""The floor of a build: DuckDB scans segments, sorts them and stores them."""

from __future__ import annotations

import json
import sys

import duckdb


def main() -> int:
    """Store segments, named after the database, sorted by learner and time."""
    database, *segments = sys.argv[1:]
    with duckdb.connect(database, config={"threads": 2}) as connection:
        connection.execute(
            "create table events as select * from read_parquet(?) "
            "order by learner_pseudonym, observed_at",
            [segments],
        )
        n = connection.execute("select count(*) from events").fetchall()[0][0]
    sys.stdout.write(json.dumps({"rows": n}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
