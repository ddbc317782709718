"""Small deliveries and candidate editions that keep every promise, to be broken one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.delivery import Delivery
from expectations.engine import Engine
from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns, segment_schema

KNOWN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
N = 40

REFUSED = {"kind": pl.String, "source_row": pl.Int64, "is_first": pl.Boolean}
NOTES = {"kind": pl.String, "source_row": pl.Int64, "source_cell": pl.String}

OWN_VALUES: dict[str, Callable[[str, int], Any]] = {
    "level": lambda kind, n: n % 5 + 1,
    "target_level": lambda kind, n: 4,
    "scale_id": lambda kind, n: "entrustment_5",
    "target_scale_id": lambda kind, n: "entrustment_5",
    "scale_version": lambda kind, n: "1",
    "instrument_id": lambda kind, n: ("mini_cex", "dops")[n % 2],
    "assessor_role": lambda kind, n: ("consultant", "resident")[n % 2],
    "score": lambda kind, n: Decimal(n % 7),
    "result_status": lambda kind, n: "scored",
    "response_status": lambda kind, n: "answered",
    "status": lambda kind, n: {
        "ai_use_declaration": "used", "consent": "given", "action": "open"
    }.get(kind, "active"),
    "text": lambda kind, n: f"what happened on day {n}",
    "description": lambda kind, n: f"observe again on day {n}",
    "cohort_id": lambda kind, n: "2024",
    "attribute": lambda kind, n: "first_language",
    "value": lambda kind, n: "ab"[n % 2],
    "purpose": lambda kind, n: "research",
    "target_kind": lambda kind, n: "exam_result",
    "entry_type": lambda kind, n: "item" if kind == "framework" else ("member", "meeting")[n % 2],
    "framework_id": lambda kind, n: "epas",
    "committee_id": lambda kind, n: "main",
    "quorum": lambda kind, n: 3,
    "decided_by_pseudonyms": lambda kind, n: ["p1", "p2"],
    "recused_pseudonyms": lambda kind, n: ["p1"],
    "task_id": lambda kind, n: f"task-{n % 2}",
    "sitting_id": lambda kind, n: "2026-1",
    "item_id": lambda kind, n: "item-1",
    "is_flagged": lambda kind, n: n == 0,
    "amends_record_id": lambda kind, n: None,
    "ai_policy_level": lambda kind, n: None,
    "policy_from": lambda kind, n: date(2026, 1, 1),
    "policy_to": lambda kind, n: None,
}  # fmt: skip


def events(kind: str) -> pl.DataFrame:
    """Return accepted events of a kind that keep every promise."""
    schema = segment_schema(CONTRACTS[kind])
    named = {c.stored_name for c in columns(CONTRACTS[kind])}
    rows = [
        {
            name: OWN_VALUES[name](kind, n)
            if name in OWN_VALUES and name in named
            else _value(name, dtype, n)
            for name, dtype in schema.items()
        }
        for n in range(N)
    ]
    return pl.DataFrame(rows, schema=schema)


def _value(name: str, dtype: pl.DataType, n: int) -> Any:
    if isinstance(dtype, pl.Datetime):
        return KNOWN_AT if name == "known_at" else KNOWN_AT - timedelta(days=n + 1)
    if isinstance(dtype, pl.Date):
        return (KNOWN_AT - timedelta(days=n + 1)).date()
    if isinstance(dtype, pl.List):
        return []
    if isinstance(dtype, pl.Boolean):
        return False
    if isinstance(dtype, pl.String):
        return f"{name}-{n}"
    return n


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine() as opened:
        yield opened


@pytest.fixture
def good_delivery(tmp_path: Path) -> Callable[..., Delivery]:
    """Return a function that stages a delivery of one kind, whole or broken."""

    def make(
        kind: str,
        change: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame,
        *,
        n_refused: int = 0,
        n_noted: int = 0,
        **facts: Any,
    ) -> Delivery:
        accepted = change(events(kind))
        path = tmp_path / f"{kind}.parquet"
        accepted.write_parquet(path)
        refused = pl.DataFrame({"kind": kind, "source_row": pl.Series(range(n_refused))})
        refused = refused.with_columns(is_first=pl.lit(value=True))
        refused.cast(REFUSED).write_parquet(tmp_path / "refused.parquet")
        noted = pl.DataFrame({"kind": kind, "source_row": pl.Series(range(n_noted))})
        noted = noted.with_columns(source_cell=pl.lit(None, dtype=pl.String))
        noted.cast(NOTES).write_parquet(tmp_path / "notes.parquet")
        n_read = accepted.height + n_refused
        whole = Delivery(
            owner="assessment_unit",
            known_at=KNOWN_AT,
            source_rows=n_read,
            rows_read=n_read,
            accepted={kind: path} if accepted.height else {},
            refused=tmp_path / "refused.parquet",
            notes=tmp_path / "notes.parquet",
            scale_levels=tuple(("entrustment_5", "1", level) for level in range(1, 6)),
            instruments=("mini_cex", "dops"),
            assessor_roles=("consultant", "resident"),
            max_age_days=60,
            max_rows=1_000,
            manifest_rows=n_read,
        )
        return dataclasses.replace(whole, **facts)

    return make
