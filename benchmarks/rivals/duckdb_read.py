"""The floor of intake: DuckDB reads a file into a typed table and checks nothing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

COLUMNS = {
    "programme_id": "varchar",
    "record_id": "varchar",
    "source_version": "bigint",
    "learner_id": "varchar",
    "instrument_id": "varchar",
    "competency_id": "varchar",
    "scale_id": "varchar",
    "scale_version": "varchar",
    "raw_label": "varchar",
    "level": "bigint",
    "assessor_id": "varchar",
    "assessor_role": "varchar",
    "setting": "varchar",
    "case_type": "varchar",
    "complexity": "varchar",
    "stake": "decimal(18, 6)",
    "narrative_strengths": "varchar",
    "narrative_improvements": "varchar",
    "is_flagged": "boolean",
    "observed_at": "timestamptz",
    "submitted_at": "timestamptz",
}


def main() -> int:
    """Read one file into the table of a new database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    readers = {
        ".jsonl": f"read_json(?, format = 'newline_delimited', columns = {listed})",
        ".csv": f"read_csv(?, header = true, columns = {listed})",
        ".parquet": "read_parquet(?)",
    }
    with duckdb.connect(
        str(options.database),
        config={"threads": options.threads, "preserve_insertion_order": "false"},
    ) as connection:
        connection.execute(
            f"create table records as select * from {readers[options.file.suffix]}",
            [str(options.file)],
        )
        rows = connection.execute("select count(*) from records").fetchall()[0][0]
    sys.stdout.write(json.dumps({"rows_read": rows}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
