"""Parquet: typed columns become text without loss, structs by dotted names."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.sources.readers import strict_json
from pipelines.sources.readers.base import (
    CHUNK_BYTES,
    SOURCE_ROW,
    Chunk,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    no_problems,
    register,
)
from pipelines.sources.readers.headers import unique

MIN_ROWS, MAX_ROWS = 1_000, 131_072
"""The fewest and the most rows of a chunk."""
BUFFER_BYTES = 1 << 20
STRETCH_BYTES = CHUNK_BYTES

INSTANT = "%Y-%m-%dT%H:%M:%S%.f"


class ParquetOptions(ReaderOptions):
    """Parquet describes itself."""


@dataclass(frozen=True)
class _Leaf:
    """A column of text, and the way to it through structs."""

    name: str
    top: int
    fields: tuple[int, ...] = ()


@register("parquet")
class Parquet:
    """Reads row groups batch by batch."""

    name: ClassVar[str] = "parquet"
    version: ClassVar[int] = 1
    options: ClassVar[type[ReaderOptions]] = ParquetOptions
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: ParquetOptions, wanted: Wanted) -> Reading:
        """Begin to read a Parquet file."""
        del options
        file = _opened(path)
        leaves = _leaves(file.schema_arrow, wanted)
        facts = {
            "reader": Parquet.name,
            "n_rows": file.metadata.num_rows,
            "row_groups": file.metadata.num_row_groups,
            "types": {field.name: str(field.type) for field in file.schema_arrow},
            "columns": [leaf.name for leaf in leaves],
        }
        header = [leaf.name for leaf in leaves]
        return Reading(
            facts,
            _chunks(file, leaves),
            header=header,
            seen=set(header),
            stretches=_stretches(file) if _can_be_cut(file) else None,
        )

    @staticmethod
    def open_stretch(
        path: Path, options: ParquetOptions, wanted: Wanted, stretch: RowGroups
    ) -> Reading:
        """Begin to read some row groups of a file."""
        del options
        file = _opened(path)
        leaves = _leaves(file.schema_arrow, wanted)
        header = [leaf.name for leaf in leaves]
        chunks = _chunks(file, leaves, stretch)
        return Reading({}, chunks, header=header, seen=set(header))


@dataclass(frozen=True)
class RowGroups:
    """Some consecutive row groups of a file, and how many rows stand above them."""

    numbers: tuple[int, ...]
    before: int


def _can_be_cut(file: pq.ParquetFile) -> bool:
    return bool(file.metadata.num_rows and file.metadata.num_row_groups > 1)


def _stretches(file: pq.ParquetFile) -> Iterator[RowGroups]:
    sizes = [
        (group.num_rows, group.total_byte_size)
        for group in map(file.metadata.row_group, range(file.metadata.num_row_groups))
    ]
    file.close()
    before = n_rows = n_bytes = 0
    numbers: list[int] = []
    for number, (rows, size) in enumerate(sizes):
        numbers.append(number)
        n_rows, n_bytes = n_rows + rows, n_bytes + size
        if n_bytes >= STRETCH_BYTES or number + 1 == len(sizes):
            yield RowGroups(tuple(numbers), before)
            before, numbers, n_rows, n_bytes = before + n_rows, [], 0, 0


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> Unreadable:
    return Unreadable(
        "unreadable_file",
        f"The file is no Parquet file that can be read: {str(error).splitlines()[0]}.",
        "Check whether the upload ended early or the file is encrypted, and export it again.",
    )


def _leaves(schema: pa.Schema, wanted: Wanted) -> list[_Leaf]:
    """Return the columns of text: those within structs by dotted names.

    A struct is a column of its own, as JSON text, only where the mapping asks for it.
    """
    found: list[_Leaf] = []
    for top, name in enumerate(unique(schema.names)):
        found += _within(schema.types[top], _Leaf(name, top), wanted)
    names = unique([leaf.name for leaf in found])
    return [_Leaf(name, leaf.top, leaf.fields) for name, leaf in zip(names, found, strict=True)]


def _within(kind: pa.DataType, leaf: _Leaf, wanted: Wanted) -> Iterator[_Leaf]:
    if not pa.types.is_struct(kind) or not kind.num_fields:
        yield leaf
        return
    if leaf.name in wanted.columns:
        yield leaf
    for number in range(kind.num_fields):
        inner = kind.field(number)
        fields = (*leaf.fields, number)
        yield from _within(inner.type, _Leaf(f"{leaf.name}.{inner.name}", leaf.top, fields), wanted)


def _chunks(
    file: pq.ParquetFile, leaves: list[_Leaf], stretch: RowGroups | None = None
) -> Iterator[Chunk]:
    before = 0 if stretch is None else stretch.before
    numbers = None if stretch is None else list(stretch.numbers)
    size = _rows_at_once(file)
    try:
        for batch in file.iter_batches(batch_size=size, row_groups=numbers, use_threads=False):
            if batch.num_rows:
                yield _chunk(batch, leaves, before)
                before += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(error) from None
    finally:
        file.close()
    if not before and stretch is None:
        raise Unreadable(
            "header_only",
            "The file has columns and no rows.",
            "Check the filter of the export; if nothing happened, nothing needs to be sent.",
        )


def _rows_at_once(file: pq.ParquetFile) -> int:
    meta = file.metadata
    size: int = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
    n_rows: int = CHUNK_BYTES * meta.num_rows // max(1, size)
    return min(MAX_ROWS, max(MIN_ROWS, n_rows))


def _chunk(batch: pa.RecordBatch, leaves: list[_Leaf], before: int) -> Chunk:
    numbers = pl.int_range(before + 1, before + 1 + batch.num_rows, dtype=pl.Int64, eager=True)
    columns = [numbers.alias(SOURCE_ROW)]
    for leaf in leaves:
        array = batch.column(leaf.top)
        for field in leaf.fields:
            array = pc.struct_field(array, [field])
        columns.append(as_text(array).alias(leaf.name))
    rows = pl.DataFrame(columns)
    return Chunk(rows, rows, no_problems())


def as_text(array: pa.Array) -> pl.Series:
    """Return the values of a column as text that says them exactly.

    Times in a zone are written in UTC, times without one as they are; bytes that are no UTF-8 text
    are written in base 64 after `base64:`; lists, maps and structs as JSON.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _uuids(array.storage) if isinstance(kind, pa.UuidType) else as_text(array.storage)
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary_decode())
    for is_kind, convert in _CONVERTERS:
        if is_kind(kind):
            return convert(array)
    return _said_by_python(array)


def _series(array: pa.Array) -> pl.Series:
    return pl.Series(pl.from_arrow(array))


def _plain(array: pa.Array) -> pl.Series:
    return _series(array).cast(pl.String)


def _decimal(array: pa.Array) -> pl.Series:
    if pa.types.is_decimal256(array.type) or array.type.scale < 0:
        return _said_by_python(array)
    return _series(array).cast(pl.String)


def _float(array: pa.Array) -> pl.Series:
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    return _series(array).cast(pl.String)


def _day(array: pa.Array) -> pl.Series:
    return _series(array.cast(pa.date32())).dt.to_string("%Y-%m-%d")


def _instant(array: pa.Array) -> pl.Series:
    if array.type.unit == "s":
        array = array.cast(pa.timestamp("ms", array.type.tz))
    if array.type.tz is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC"))
    text = _without_zeros(_series(array).dt.to_string(INSTANT))
    return text + "Z" if array.type.tz is not None else text


def _time(array: pa.Array) -> pl.Series:
    return _without_zeros(_series(array).dt.to_string("%H:%M:%S%.f"))


def _without_zeros(text: pl.Series) -> pl.Series:
    """Take the zeros from the end of fractions of seconds."""
    return text.str.replace(r"(\.\d*?)0+$", "$1").str.replace(r"\.$", "")


def _bytes(array: pa.Array) -> pl.Series:
    values = _series(array.cast(pa.large_binary()))
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        texts = [None if value is None else _byte_text(value) for value in values.to_list()]
        return pl.Series(texts, dtype=pl.String)


def _byte_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(value).decode()}"


def _uuids(array: pa.Array) -> pl.Series:
    digits = _series(array.cast(pa.binary())).bin.encode("hex")
    return digits.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


def _duration(array: pa.Array) -> pl.Series:
    if array.type.unit == "s":
        array = array.cast(pa.duration("ms"))
    return _series(array).dt.to_string("iso")


def _said_by_python(array: pa.Array) -> pl.Series:
    texts = [strict_json.as_text(_jsonable(value)) for value in array.to_pylist()]
    return pl.Series(texts, dtype=pl.String)


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return _byte_text(value)
    if isinstance(value, Decimal):
        return strict_json.Number(format(value, "f"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return strict_json.Number(value) if isfinite(value) else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | str) else str(value)


_CONVERTERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], pl.Series]], ...] = (
    (pa.types.is_string, _plain),
    (pa.types.is_large_string, _plain),
    (pa.types.is_string_view, _plain),
    (pa.types.is_boolean, _plain),
    (pa.types.is_integer, _plain),
    (pa.types.is_floating, _float),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_date, _day),
    (pa.types.is_timestamp, _instant),
    (pa.types.is_time, _time),
    (pa.types.is_binary, _bytes),
    (pa.types.is_large_binary, _bytes),
    (pa.types.is_fixed_size_binary, _bytes),
    (pa.types.is_binary_view, _bytes),
    (pa.types.is_duration, _duration),
    (pa.types.is_null, _plain),
)
