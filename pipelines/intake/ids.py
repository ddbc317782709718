"""Ids of events and records, hashed a column at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl
import polars_hash as plh

from pipelines.contracts.base import Record
from pipelines.contracts.schema import columns
from pipelines.contracts.void import Void

_SEPARATOR = "\x1f"
_SHORT = 1_000
"""Up to this many bytes, how long a text is need not be written anew each time."""
_NOT_CONTENT = frozenset({"programme_id", "record_id", "source_version"})
LONG_ID = 5
"""Characters: an id as long gives the person away wherever it stands. Source: local choice."""
_STANDS_FOR = 12
"""Characters of what stands for a person in the id of a record."""


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

    One row may withdraw records of several kinds and programmes: each void is an event of its own.
    """
    is_void = kind == Void.kind
    return pl.concat_str(
        pl.lit(_SEPARATOR.join((delivery_id, interpretation_id, kind))),
        *([pl.col("target_kind"), pl.col("programme_id")] if is_void else []),
        pl.col("source_row").cast(pl.String),
        pl.col("source_cell").fill_null(""),
        pl.col("record_id"),
        separator=_SEPARATOR,
    )


def without_people(
    frame: pl.DataFrame, contract: type[Record], people: Mapping[str, str]
) -> pl.DataFrame:
    """Take the people out of ids of records that a source puts together from theirs.

    `progress-1/s100200` would tell beside a pseudonym who it stands for. A short id is one only
    where it stands between signs, since a digit of another number is nobody.

    Args:
        frame: the records, typed.
        contract: their contract.
        people: for each column of persons that one that stands for them.
    """
    for reference in _references(contract):
        for person, stand_in in people.items():
            told = pl.col(reference).str.contains(pl.col(person), literal=True).any()
            if frame.select(told).item():
                replaced = _replaced(
                    pl.col(reference), pl.col(person), pl.col(stand_in).str.head(_STANDS_FOR)
                )
                frame = frame.with_columns(pl.coalesce(replaced, reference).alias(reference))
    return frame


def _references(contract: type[Record]) -> list[str]:
    """Return the columns that hold ids of records."""
    names = [column.name for column in columns(contract)]
    return [name for name in names if name.endswith("record_id") or name == "submission_id"]


def _replaced(reference: pl.Expr, person: pl.Expr, stand_in: pl.Expr) -> pl.Expr:
    anywhere = reference.str.split(person).list.join(stand_in)
    between_signs = (
        _in_pieces(reference)
        .str.split(_in_pieces(person))
        .list.join(_SEPARATOR + stand_in + _SEPARATOR)
        .str.replace_all(_SEPARATOR, "", literal=True)
    )
    return pl.when(person.str.len_chars() >= LONG_ID).then(anywhere).otherwise(between_signs)


def _in_pieces(text: pl.Expr) -> pl.Expr:
    """Return a text with separators around every run of letters and digits, and every other run."""
    apart = text.str.replace_all(r"([^\p{L}\p{N}]+)", f"{_SEPARATOR}${{1}}{_SEPARATOR}")
    return _SEPARATOR + apart + _SEPARATOR


def contents(frame: pl.DataFrame, contract: type[Record], sealed: dict[str, pl.Expr]) -> pl.Series:
    """Return what each record says, as one text.

    Fields that hold nothing are left out, so that a field that is added later changes no hash.

    Args:
        frame: the records, typed.
        contract: their contract.
        sealed: for personal fields the column that stands for them.
    """
    said = [c for c in columns(contract) if c.name not in _NOT_CONTENT]
    values = frame.select(
        sealed.get(column.name, _text(pl.col(column.name), column.dtype)).alias(column.name)
        for column in sorted(said, key=lambda column: column.name)
    )
    pieces = []
    for value in values:
        if value.null_count() < frame.height:
            pieces += [_heads(value), value.alias(f"{value.name}=")]
    if not pieces:
        return pl.repeat("", frame.height, dtype=pl.String, eager=True).alias("content")
    return pl.DataFrame(pieces).select(pl.concat_str(pl.all(), ignore_nulls=True).alias("content"))[
        "content"
    ]


def _heads(value: pl.Series) -> pl.Series:
    """Return what stands before each value: the name of the field, and how long the value is."""
    lengths = value.str.len_bytes()
    longest = int(str(lengths.max()))
    if longest < len(_short_heads(value.name)):
        return _short_heads(value.name).gather(lengths)
    head = pl.lit(f"{value.name}="), pl.col(value.name).cast(pl.String), pl.lit(":")
    return lengths.to_frame().select(pl.concat_str(head))[:, 0].alias(value.name)


@cache
def _short_heads(name: str) -> pl.Series:
    return pl.Series(name, [f"{name}={length}:" for length in range(_SHORT)], dtype=pl.String)


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
