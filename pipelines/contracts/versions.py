"""Segments of older contract versions, read as the present one.

A stored segment is never rewritten. Whoever changes a contract so that stored segments would read
differently raises its `contract_version` and registers here how a frame of the version before
becomes one of the next. A new optional field needs no step: it is filled with nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipelines.contracts import contract_for
from pipelines.contracts.base import Record
from pipelines.contracts.schema import segment_schema

Upcast = Callable[[pl.LazyFrame], pl.LazyFrame]

UPCASTS: dict[tuple[str, int], Upcast] = {}
"""By kind and version: the step from that version to the next one."""


class VersionError(Exception):
    """A segment was written by a newer Tessera, or a step from its version is missing."""


def upcast_from(
    kind: str, version: int, registry: dict[tuple[str, int], Upcast] = UPCASTS
) -> Callable[[Upcast], Upcast]:
    """Register a function as the step of `kind` from `version` to the next."""

    def register(step: Upcast) -> Upcast:
        registry[kind, version] = step
        return step

    return register


def _as_it_was(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Leave a frame alone: the next version only adds fields, or values to a list."""
    return frame


for _kind in ("assessment_plan", "committee", "consent", "decision", "meeting_note", "reflection"):
    upcast_from(_kind, 1)(_as_it_was)
upcast_from("decision", 2)(_as_it_was)


def upcast(
    frame: pl.LazyFrame,
    contract: type[Record],
    version: int,
    registry: dict[tuple[str, int], Upcast] = UPCASTS,
) -> pl.LazyFrame:
    """Return a frame of an older version with the present columns, in their order.

    Raises:
        VersionError: there is no way from `version` to the present one.
    """
    if version > contract.contract_version:
        raise VersionError(
            f"a segment of {contract.kind} has contract version {version}, this Tessera knows "
            f"{contract.contract_version}: use the newer Tessera that wrote it"
        )
    for step in range(version, contract.contract_version):
        if (contract.kind, step) not in registry:
            raise VersionError(f"no step for {contract.kind} from contract version {step}")
        frame = registry[contract.kind, step](frame)
    schema = segment_schema(contract)
    missing = schema.keys() - set(frame.collect_schema().names())
    nothing = [pl.lit(None, dtype=schema[name]).alias(name) for name in sorted(missing)]
    return (
        frame.with_columns(nothing)
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        .with_columns(pl.lit(contract.contract_version, pl.Int32).alias("contract_version"))
    )


def read_segment(path: Path, kind: str, version: int) -> pl.LazyFrame:
    """Return a stored segment of `kind`, written under contract `version`, as the present one.

    The column `contract_version` then names the present version; the intake record keeps the one
    that the segment was written under.
    """
    return upcast(pl.scan_parquet(path), contract_for(kind), version)
