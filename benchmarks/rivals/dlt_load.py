"""The rival of intake: dlt loads a file into DuckDB under the same pydantic contract.

Runs in an environment that has dlt. As it comes, a resource yields rows and all settings are the
defaults, as its first page shows. Tuned, its documented ways to go faster are taken: pages instead
of rows, files small enough to be worked on in parallel, worker processes for normalising, Parquet.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

PAGE = 5_000
FILE_ITEMS = 25_000


def main() -> int:
    """Load one file into a new database; records that break the contract are left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--tuned", action="store_true", help="take every documented short cut")
    parser.add_argument("--workers", type=int, default=2, help="processes, where it is tuned")
    options = parser.parse_args()
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    if options.tuned:
        os.environ |= {
            "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": str(FILE_ITEMS),
            "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": str(FILE_ITEMS),
            "NORMALIZE__WORKERS": str(options.workers),
            "NORMALIZE__START_METHOD": "spawn",
            "LOAD__WORKERS": str(options.workers),
        }
    import dlt

    from pipelines.contracts import CONTRACTS

    contract = CONTRACTS["workplace_assessment"]

    @dlt.resource(
        name="records",
        columns=contract,
        schema_contract={"tables": "evolve", "columns": "freeze", "data_type": "discard_row"},
        write_disposition="append",
    )
    def records() -> Iterator[Any]:
        rows = _jsonl(options.file) if options.file.suffix == ".jsonl" else _csv(options.file)
        if not options.tuned:
            yield from rows
        while page := list(islice(rows, PAGE)):
            yield page

    pipeline = dlt.pipeline(
        pipeline_name="bench",
        destination=dlt.destinations.duckdb(str(options.database)),
        dataset_name="raw",
        pipelines_dir=str(options.work),
    )
    pipeline.run(records(), loader_file_format="parquet" if options.tuned else None)
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select count(*) from records")[0][0]
    sys.stdout.write(json.dumps({"rows_loaded": rows}) + "\n")
    return 0


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    import orjson

    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {key: value for key, value in row.items() if value != ""}


if __name__ == "__main__":
    raise SystemExit(main())
