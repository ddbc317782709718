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

OWN_VALUES: dict[str, Any] = {
    "level": lambda n: n % 5 + 1,
    "target_level": 4,
    "scale_id": "entrustment_5",
    "target_scale_id": "entrustment_5",
    "target_scale_version": "1",
    "scale_version": "1",
    "instrument_id": lambda n: ("mini_cex", "dops")[n % 2],
    "assessor_role": lambda n: ("consultant", "resident")[n % 2],
    "score": lambda n: Decimal(n % 7),
    "result_status": "scored",
    "response_status": "answered",
    "status": "active",
    "text": lambda n: f"what happened on day {n}",
    "description": lambda n: f"observe again on day {n}",
    "cohort_id": "2024",
    "attribute": "first_language",
    "value": lambda n: "ab"[n % 2],
    "purpose": "research",
    "target_kind": "exam_result",
    "entry_type": lambda n: ("item", "member", "meeting")[n % 3],
    "framework_id": "epas",
    "committee_id": "main",
    "quorum": 3,
    "decided_by_pseudonyms": ["p1", "p2"],
    "recused_pseudonyms": ["p1"],
    "task_id": lambda n: f"task-{n % 2}",
    "sitting_id": "2026-1",
    "item_id": "item-1",
    "is_flagged": lambda n: n == 0,
    "amends_record_id": None,
    "ai_policy_level": None,
    "policy_from": date(2026, 1, 1),
    "policy_to": None,
    "need_to_know": lambda n: ("case_holders", "committee")[n % 2],
}
"""What columns hold, as a value or made from the number of the row."""


def events(kind: str) -> pl.DataFrame:
    """Return accepted events of a kind that keep every promise."""
    schema = segment_schema(CONTRACTS[kind])
    named = {c.stored_name for c in columns(CONTRACTS[kind])}
    rows = [
        {
            name: _own_value(name, n)
            if name in OWN_VALUES and name in named
            else _value(name, dtype, n)
            for name, dtype in schema.items()
        }
        for n in range(N)
    ]
    return pl.DataFrame(rows, schema=schema)


def _own_value(name: str, n: int) -> Any:
    own = OWN_VALUES[name]
    return own(n) if callable(own) else own


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
            accepted={kind: (path,)} if accepted.height else {},
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
