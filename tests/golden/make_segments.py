"""Make one segment of every kind under its present contract version, to be kept for ever.

Run after raising a contract_version: python tests/golden/make_segments.py
Files that exist are left alone: a kept segment never changes.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "contracts")]

from conftest import GOOD  # noqa: E402

from pipelines.contracts import CONTRACTS  # noqa: E402
from pipelines.contracts.schema import columns  # noqa: E402
from pipelines.identity.pseudonyms import Namespace  # noqa: E402
from pipelines.identity.vault import Keys  # noqa: E402
from pipelines.intake.chunk import Context, judge  # noqa: E402

CONTEXT = Context(
    delivery_id="golden-0123456789abcdef",
    interpretation_id="0123456789ab",
    source_id="golden",
    owner="nobody",
    record_scope="golden",
    namespace=Namespace("golden"),
    known_at=datetime(2026, 1, 1, tzinfo=UTC),
    keys=Keys(b"golden", b"golden", 1),
)


def main() -> None:
    """Write the segments that are missing."""
    for kind, contract in CONTRACTS.items():
        target = HERE / "segments" / f"v{contract.contract_version}" / f"{kind}.parquet"
        if target.exists():
            continue
        record = {"programme_id": "MED", "record_id": "r1"} | GOOD[kind]
        row = {"source_row": 1} | {c.name: record.get(c.name) for c in columns(contract)}
        schema = dict.fromkeys(row, pl.String) | {"source_row": pl.Int64}
        outcome, _ = judge(pl.DataFrame([row], schema=schema), contract, CONTEXT)
        target.parent.mkdir(parents=True, exist_ok=True)
        outcome.events.write_parquet(target)


if __name__ == "__main__":
    main()
