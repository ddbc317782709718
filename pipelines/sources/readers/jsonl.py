"""JSON Lines: one JSON object a line.

Lines written alike are cut where they stand, lines that are provably plain go through polars
together, and every other line is read by itself, to the letter. All ways give the same cells (a
property test holds them equal).
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipelines.sources.readers import regular_lines, strict_json
from pipelines.sources.readers.base import (
    CHUNK_BYTES,
    LENGTH,
    LINE,
    OFFSET,
    ROW_PROBLEMS,
    SOURCE_ROW,
    Chunk,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    no_problems,
    register,
)
from pipelines.sources.readers.flat_json import layout_of, parse, read_flat
from pipelines.sources.readers.parts import no_rows
from pipelines.sources.readers.stretches import STRETCH_BYTES, Blanks, Stretch, of_lines

_NO_LINES = pl.DataFrame(schema={SOURCE_ROW: pl.Int64(), LINE: pl.String()})

PLAIN = r"^\s*\{[\s\S]*\}\s*$"
KEY = r'"(?:[^"\\]|\\.)*"\s*:?'
"""A string, and the colon behind it if it is a key: taken in turn, all strings of a JSON text."""

ODD_TEXT = "|".join(
    (
        r"\\u[dD]",  # surrogates
        r"\\u00[0-7]",  # letters written as escapes, maybe in keys
        r"\\[bf]",
    )
)
"""What polars may read otherwise, or not at all."""

ODD_NUMBER = "|".join(
    (
        r"[\d.]{16,}",  # more digits than a double keeps
        r"\d\.\d*0\s*[,}\]]",  # zeros that a double does not keep
        r"\b0\.0000",
        r"\d[eE][+-]?\d",
        r"-0\s*[,}\]]",
    )
)
"""What polars may write in another way."""

NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
IS_ODD = "__is_odd"

NESTED = r"\[|\{[\s\S]*\{"
"""Arrays or objects within the record; polars does not write backslashes in them back."""


SAMPLED = 40
"""Lines of a chunk that its layout is taken from."""

BOM = codecs.BOM_UTF8


class JsonLinesOptions(ReaderOptions):
    """JSON Lines have one form only."""

    encoding: Literal["utf-8"] = "utf-8"


@register("jsonl")
class JsonLines:
    """Reads JSON Lines in chunks cut at line ends."""

    name: ClassVar[str] = "jsonl"
    version: ClassVar[int] = 1
    options: ClassVar[type[ReaderOptions]] = JsonLinesOptions
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: JsonLinesOptions, wanted: Wanted) -> Reading:
        """Begin to read a file of JSON Lines."""
        del options
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in start:
            raise Unreadable(
                "wrong_encoding",
                "The file is UTF-16 text; JSON Lines are UTF-8.",
                "Export the file as UTF-8.",
            )
        bom = start.startswith(BOM)
        facts: dict[str, Any] = {"reader": JsonLines.name, "encoding": "utf-8", "bom": bom}
        reading = Reading(facts=facts, chunks=iter(()))
        first = len(BOM) if bom else 0
        reading.chunks = _chunks(path, first, wanted, reading)
        reading.stretches = _stretches(path, first, reading)
        return reading

    @staticmethod
    def open_stretch(
        path: Path, options: JsonLinesOptions, wanted: Wanted, stretch: Stretch
    ) -> Reading:
        """Begin to read a stretch of a file."""
        del options
        reading = Reading(facts={}, chunks=iter(()))
        reading.chunks = _chunk_of(path, wanted, reading, stretch)
        return reading


def _stretches(path: Path, start: int, reading: Reading) -> Iterator[Stretch]:
    blanks, is_empty = Blanks(), True
    for stretch in of_lines(path, start, blanks, STRETCH_BYTES):
        is_empty = False
        yield stretch
    reading.facts["blank_lines"] = blanks.n
    if is_empty:
        raise no_rows()


def _chunk_of(path: Path, wanted: Wanted, reading: Reading, stretch: Stretch) -> Iterator[Chunk]:
    with path.open("rb") as file:
        file.seek(stretch.offset)
        data = file.read(stretch.length)
    chunk = read_bytes(data, stretch.before, wanted, reading.seen, stretch.offset)
    if chunk is not None:
        yield chunk


def _chunks(path: Path, start: int, wanted: Wanted, reading: Reading) -> Iterator[Chunk]:
    number = 0
    n_blank = 0
    with path.open("rb") as file:
        file.seek(start)
        for data in _cut_at_lines(file):
            n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
            chunk = read_bytes(data, number, wanted, reading.seen)
            n_read = 0 if chunk is None else chunk.originals.height
            n_blank += n_lines - n_read
            number += n_read
            if chunk is not None:
                yield chunk
    reading.facts["blank_lines"] = n_blank
    if not number:
        raise no_rows()


def _cut_at_lines(file: io.BufferedReader) -> Iterator[bytes]:
    rest: list[bytes] = []
    while data := file.read(CHUNK_BYTES):
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, data[:end]))
            rest = [data[end:]]
        else:
            rest.append(data)
    if last := b"".join(rest):
        yield last


def read_bytes(
    data: bytes, before: int, wanted: Wanted, seen: set[str], offset: int | None = None
) -> Chunk | None:
    """Read the lines of some bytes; None where all are blank. Their numbers follow `before`.

    With the `offset` of the bytes in their file, regular lines are given by where they stand: the
    file has them, and few of them are asked for.
    """
    found: list[pa.RecordBatch] = []
    texts: list[pa.StringArray] = []
    places: list[NDArray[np.int64]] = []
    others: list[tuple[int, bytes]] = []
    keys: set[str] = set()
    first = before + 1
    begin = offset or 0
    pattern: regular_lines.Pattern | None = None
    for block in regular_lines.blocks_of(data):
        lines = regular_lines.lines_of(block)
        regular = np.zeros(len(lines.starts), dtype=np.bool_)
        if pattern is None or not regular_lines.is_text(block):
            pattern = regular_lines.pattern_of(lines)
        if pattern is not None:
            regular, batch = regular_lines.read_regular(lines, pattern, wanted, first)
            found.append(batch)
            starts, ends = lines.starts[regular], lines.ends[regular]
            numbers = np.flatnonzero(regular) + first
            places.append(np.stack([numbers, starts + np.int64(begin), ends - starts]))
            if offset is None:
                texts.append(lines.texts(regular))
            keys.update(pattern.keys)
            if 2 * regular.sum() < len(regular):
                pattern = None  # the next block may be written in another way
        others += ((first + n, lines.text_of(n)) for n in np.flatnonzero(~regular).tolist())
        first += len(lines.starts)
        begin += len(block)
    seen |= keys
    rest = _read([line for _, line in others], _numbers([at for at, _ in others]), wanted, seen)
    if not found:
        return rest if others else None
    together = pl.DataFrame(pa.concat_tables(map(_table, found), promote_options="default"))
    is_regular = pl.lit(value=True).alias("regular")
    numbers, starts, lengths = np.concatenate(places, axis=1)
    where = (
        [pl.Series(LINE, pa.chunked_array(texts), dtype=pl.String)]
        if offset is None
        else [pl.Series(OFFSET, starts), pl.Series(LENGTH, lengths)]
    )
    both = pl.concat(
        [
            pl.DataFrame([_numbers(numbers), *where]).with_columns(is_regular),
            rest.originals.with_columns(~is_regular),
        ],
        how="diagonal",
    )
    rows = pl.concat([together, rest.rows], how="diagonal")
    if others:
        rows, both = rows.sort(SOURCE_ROW), both.sort(SOURCE_ROW)
    return Chunk(
        rows,
        both.drop("regular"),
        rest.problems,
        regular=both["regular"],
        regular_keys=frozenset(keys),
    )


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _numbers(numbers: Sequence[int] | NDArray[np.intp]) -> pl.Series:
    return pl.Series(SOURCE_ROW, numbers, dtype=pl.Int64)


def read_lines(lines: list[bytes], before: int, wanted: Wanted, seen: set[str]) -> Chunk:
    """Read lines that are not blank; their numbers follow `before`."""
    return _read(lines, _numbers(range(before + 1, before + 1 + len(lines))), wanted, seen)


def _read(lines: list[bytes], numbers: pl.Series, wanted: Wanted, seen: set[str]) -> Chunk:
    if not lines:
        return Chunk(numbers.to_frame(), _NO_LINES, no_problems())
    text = _decoded(lines)
    frame = pl.DataFrame([numbers, text])
    fast = _read_flat(frame, lines, wanted, seen)
    rest = frame.join(fast, on=SOURCE_ROW, how="anti") if fast.height else frame
    if rest.height:
        fast = pl.concat([fast, _read_together(rest, wanted, seen)], how="diagonal")
    odd = frame.select(SOURCE_ROW).with_row_index("at").join(fast, on=SOURCE_ROW, how="anti")
    slow, problems = _read_one_by_one(
        ((number, lines[at]) for at, number in odd.iter_rows()), wanted, seen
    )
    unseen = [name for name in fast.columns[1:] if name not in seen and "." not in name]
    rows = pl.concat([fast.drop(unseen), slow], how="diagonal").sort(SOURCE_ROW)
    if text.null_count():
        shown = [line.decode(errors="backslashreplace") for line in lines]
        frame = frame.with_columns(pl.Series(LINE, shown))
    return Chunk(rows, frame, problems)


def _decoded(lines: list[bytes]) -> pl.Series:
    """Return lines as text; null where one is not UTF-8."""
    try:
        return pl.Series(LINE, lines, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(LINE, [_decoded_line(line) for line in lines], dtype=pl.String)


def _decoded_line(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _read_flat(
    frame: pl.DataFrame, lines: list[bytes], wanted: Wanted, seen: set[str]
) -> pl.DataFrame:
    layout = layout_of(lines[:: max(1, len(lines) // SAMPLED)])
    if layout is None:
        return pl.DataFrame(schema={SOURCE_ROW: pl.Int64()})
    cells = read_flat(frame, layout, wanted)
    if cells.height:
        seen.update(layout.keys)
    return cells


def _read_together(frame: pl.DataFrame, wanted: Wanted, seen: set[str]) -> pl.DataFrame:
    """Return the cells of the plain lines: keys all different, values kept as written."""
    nothing = pl.DataFrame(schema={SOURCE_ROW: pl.Int64()})
    line = pl.col(LINE)
    is_key = pl.element().str.ends_with(":")
    key = pl.element().str.strip_suffix(":").str.strip_chars_end(" \t\r")
    is_plain_inside = (
        ~line.str.contains("\\", literal=True)
        & ~pl.col(IS_ODD)
        & (line.str.count_matches(r"[\[{]") <= strict_json.MAX_DEPTH)
    )
    plain = (
        frame.lazy()
        .filter(line.str.contains(PLAIN) & ~line.str.contains(ODD_TEXT))
        .with_columns(line.str.contains(ODD_NUMBER).alias(IS_ODD))
        .filter(~line.str.contains(NESTED) | is_plain_inside)
        .with_columns(keys=line.str.extract_all(KEY).list.eval(key.filter(is_key)))
        .filter(pl.col("keys").list.n_unique() == pl.col("keys").list.len())
        .collect()
    )
    keys = {key[1:-1] for key in plain["keys"].explode().drop_nulls().unique()}
    schema = _schema(keys, wanted)
    if not plain.height or schema is None:
        return nothing
    _note_keys(plain, keys, seen)
    parts = list(parse(plain.select(SOURCE_ROW, LINE), schema))
    if not parts:
        return nothing
    return _as_written(pl.concat([_flat(part, wanted) for part in parts]), plain)


def _as_written(cells: pl.DataFrame, plain: pl.DataFrame) -> pl.DataFrame:
    """Put numbers back as they were written, in lines where polars may have changed them.

    Such lines hold no inner object, so that a key with its colon is the key of the record: within
    a string its quotes would be escaped.
    """
    odd = plain.filter(IS_ODD).select(SOURCE_ROW, LINE)
    if odd.is_empty():
        return cells
    lines = cells.select(SOURCE_ROW).join(odd, on=SOURCE_ROW, how="left", maintain_order="left")
    written = lines.select(
        pl.col(LINE).str.extract(rf'"{re.escape(name)}"\s*:\s*({NUMBER})\s*[,}}]').alias(name)
        for name in cells.columns[1:]
    )
    return cells.select(SOURCE_ROW, *(pl.coalesce(written[name], name) for name in written.columns))


def _schema(keys: set[str], wanted: Wanted) -> dict[str, pl.DataType] | None:
    """Return what polars shall read, or None where only reading line by line is safe."""
    if any("\\" in key for key in keys):
        return None
    schema: dict[str, Any] = {key: pl.String() for key in sorted(keys) if wanted.has(key)}
    for path in sorted(wanted.columns - keys):
        top, *inner = path.split(".")
        if inner and top in keys:
            if schema.get(top) == pl.String():
                return None
            schema.setdefault(top, {})
            branch = schema[top]
            for key in inner[:-1]:
                branch = branch.setdefault(key, {})
                if not isinstance(branch, dict):
                    return None
            if isinstance(branch.get(inner[-1]), dict):
                return None
            branch[inner[-1]] = pl.String()
    return {key: _as_type(branch) for key, branch in schema.items()} or {"": pl.String()}


def _as_type(branch: Any) -> pl.DataType:
    if isinstance(branch, dict):
        return pl.Struct({key: _as_type(inner) for key, inner in branch.items()})
    return pl.String()


def _note_keys(plain: pl.DataFrame, keys: set[str], seen: set[str]) -> None:
    """Note the keys of the records themselves, not those of objects within them."""
    if keys <= seen:
        return
    is_nested = pl.col(LINE).str.count_matches("{", literal=True) > 1
    flat, nested = plain.filter(~is_nested), plain.filter(is_nested)
    seen.update(key[1:-1] for key in flat["keys"].explode().drop_nulls().unique())
    for data in nested.unique("keys", keep="first", maintain_order=True)[LINE]:
        try:
            seen.update(strict_json.parse(data.encode()))
        except strict_json.NotJson:
            continue


def _flat(cells: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    columns = [pl.col(SOURCE_ROW)]
    columns += [
        pl.col(name)
        for name, dtype in cells.schema.items()
        if dtype == pl.String and wanted.has(name)
    ]
    for path in sorted(wanted.columns):
        top, *inner = path.split(".")
        if inner and isinstance(cells.schema.get(top), pl.Struct):
            value = pl.col(top)
            for key in inner:
                value = value.struct.field(key)
            columns.append(value.alias(path))
    return cells.select(columns)


def _read_one_by_one(
    lines: Iterable[tuple[int, bytes]], wanted: Wanted, seen: set[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    records: list[dict[str, Any]] = []
    problems: list[tuple[int, str, str]] = []
    for number, line in lines:
        try:
            record = strict_json.parse_record(line)
        except strict_json.NotJson as error:
            problems.append((number, error.code, error.suggestion))
            continue
        seen.update(record)
        cells: dict[str, Any] = {SOURCE_ROW: number}
        cells |= {
            key: strict_json.as_text(value) for key, value in record.items() if wanted.has(key)
        }
        for path in wanted.columns - record.keys():
            cells[path] = strict_json.as_text(strict_json.at_path(record, path))
        records.append(cells)
    names = dict.fromkeys(key for cells in records for key in cells if key != SOURCE_ROW)
    schema = {SOURCE_ROW: pl.Int64(), **dict.fromkeys(names, pl.String())}
    rows = pl.DataFrame(records, schema=schema)
    return rows, pl.DataFrame(problems, schema=ROW_PROBLEMS, orient="row")
