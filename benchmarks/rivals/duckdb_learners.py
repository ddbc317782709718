"""The floor of a pack: DuckDB reads the rows of each learner and prints them as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def main() -> int:
    """Write one JSON file a learner from every table of an edition that has learners."""
    edition, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with duckdb.connect(str(edition), read_only=True) as connection:
        tables = [
            f'"{schema}"."{table}"'
            for schema, table in connection.execute(
                "select table_schema, table_name from information_schema.columns "
                "where column_name = 'learner_key' order by all"
            ).fetchall()
        ]
        keys = {
            key
            for table in tables
            for (key,) in connection.execute(
                f"select distinct learner_key from {table} where learner_key is not null"
            ).fetchall()
        }
        for key in sorted(keys):
            rows = [
                connection.execute(f"select * from {table} where learner_key = ?", [key]).fetchall()
                for table in tables
            ]
            (folder / f"{key}.json").write_text(json.dumps(rows, default=str), encoding="utf-8")
    sys.stdout.write(json.dumps({"pages": len(keys), "tables": len(tables)}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
