"""Ids of events and records, hashed a column at a time."""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from pipelines.contracts.base import Record
from pipelines.contracts.schema import columns
from pipelines.contracts.void import Void

_SEPARATOR = "\x1f"
_NOT_CONTENT = frozenset({"programme_id", "record_id", "source_version"})


def record_identity(kind: pl.Expr, scope: str) -> pl.Expr:
    """Return what makes a record the same across deliveries; null where its ids are missing.

    A void has the identity of the record that it withdraws: pass its `target_kind`.
    """
    return pl.concat_str(
        kind,
        pl.col("programme_id"),
        pl.lit(scope),
        pl.col("record_id"),
        separator=_SEPARATOR,
        ignore_nulls=False,
    )


def event_identity(delivery_id: str, interpretation_id: str, kind: str) -> pl.Expr:
    """Return what makes an event: one reading of one row, cell and record of a delivery.

    One row may withdraw records of several kinds: each void is an event of its own.
    """
    is_void = kind == Void.kind
    return pl.concat_str(
        pl.lit(_SEPARATOR.join((delivery_id, interpretation_id, kind))),
        *([pl.col("target_kind")] if is_void else []),
        pl.col("source_row").cast(pl.String),
        pl.col("source_cell").fill_null(""),
        pl.col("record_id"),
        separator=_SEPARATOR,
    )


def content(contract: type[Record], sealed: dict[str, pl.Expr]) -> pl.Expr:
    """Return what a record says, as one text.

    Fields that hold nothing are left out, so that a field that is added later changes no hash.

    Args:
        contract: the contract of the record.
        sealed: for personal fields the column that stands for them.
    """
    pieces = []
    for column in sorted(columns(contract), key=lambda column: column.name):
        if column.name in _NOT_CONTENT:
            continue
        value = sealed.get(column.name, _text(pl.col(column.name), column.dtype))
        piece = pl.concat_str(
            pl.lit(f"{column.name}="), value.str.len_bytes().cast(pl.String), pl.lit(":"), value
        )
        pieces.append(piece)
    return pl.concat_str(pieces, ignore_nulls=True)


def _text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        if isinstance(dtype.inner, pl.Struct):
            items = value.list.eval(pl.element().struct.json_encode())
        else:
            items = value
        return (
            pl.when(value.is_not_null())
            .then(items.list.eval(_framed(pl.element())).list.join(""))
            .otherwise(None)
        )
    if isinstance(dtype, pl.Datetime):
        return value.dt.timestamp("us").cast(pl.String)
    return value.cast(pl.String)


def _framed(value: pl.Expr) -> pl.Expr:
    return pl.concat_str(value.str.len_bytes().cast(pl.String), pl.lit(":"), value)


def hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the first 32 hex digits of the SHA-256 of every text of a frame; null stays null."""
    return frame.select(plh.col(name).chash.sha2_256().str.head(32) for name in frame.columns)
