"""Rewrites delivered bytes without a person, and proves by reading again that all else stayed.

Files are gone through piece by piece, so that memory does not grow with them. Rows keep their
numbers: an erased one is left empty.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.intake.erase_target import Target, longest_first
from pipelines.sources.checks import wanted
from pipelines.sources.readers import READERS, Unreadable
from pipelines.sources.readers.base import CHUNK_BYTES, LINE, SOURCE_ROW, written_out
from pipelines.sources.readers.delimited import DelimitedOptions, layout, quoting
from pipelines.sources.readers.encodings import Utf8Stream
from pipelines.sources.readers.stretches import Blanks, cut, of_lines
from pipelines.sources.spec import SourceSpec

REWRITABLE = ("delimited", "jsonl", "parquet")
"""Readers whose files can be rewritten row by row."""
BLOCK_BYTES = 1 << 22
BATCH_ROWS = 50_000

Piece = tuple[int | None, bytes]
"""A row with its number, or any number of rows that stay as they are; in UTF-8."""


class NotRewritable(Exception):  # noqa: N818  (says what the file is)
    """A file cannot be rewritten row by row."""


@contextmanager
def without_person(
    archived: Path, spec: SourceSpec, rows: set[int], target: Target
) -> Iterator[Path | None]:
    """Give delivered bytes without some rows as a file of their own, to be moved or left.

    It gives None where the format cannot be rewritten, or where the other rows would not be read
    as they were.

    Args:
        archived: the delivered bytes.
        spec: how they are read.
        rows: the rows that go.
        target: the person; who is named in other rows is replaced there.
    """
    made = archived.with_name(f".{archived.name}.proof")
    try:
        is_made = False
        if spec.reader.name in REWRITABLE:
            failures = (Unreadable, NotRewritable, UnicodeError, LookupError, OSError)
            with suppress(*failures, pl.exceptions.PolarsError):
                is_made = _rewrite(archived, spec, rows, target, made)
        yield made if is_made else None
    finally:
        made.unlink(missing_ok=True)


def _rewrite(archived: Path, spec: SourceSpec, rows: set[int], target: Target, made: Path) -> bool:
    names = _person_columns(spec)
    mentions: set[int] = set()
    for frame in _originals(archived, spec):
        mentions |= _mentions(frame, names, target)
    mentions -= rows
    if mentions and any(_is_a_number_too(person_id) for _, person_id in target.ids):
        return False
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if spec.reader.name == "parquet":
            _write_parquet(archived, file, rows, mentions, names, target)
        elif spec.reader.name == "jsonl":
            for number, piece in _lines(archived, rows | mentions):
                file.write(_clean(number, piece, b"{}", rows, target))
        else:
            _write_delimited(archived, file, spec, rows, mentions, target)
        file.flush()
        os.fsync(file.fileno())
    before, after = _originals(archived, spec), _originals(made, spec)
    return _is_same_but(before, after, rows, mentions, target)


def _clean(number: int | None, piece: bytes, empty: bytes, rows: set[int], target: Target) -> bytes:
    """Return a piece without the person; one row of theirs is empty, another names them no more."""
    if number is not None:
        text = piece.rstrip(b"\r\n")
        if number in rows:
            return empty + piece[len(text) :]
        piece = _without_short_ids(piece.decode("utf-8", "surrogatepass"), target).encode(
            "utf-8", "surrogatepass"
        )
    words = [word.lower() for word in target.words]
    if piece.isascii() and all(word.isascii() for word in words):
        low = piece.lower()
        if not any(word.encode() in low for word in words):
            return piece
    return target.scrub(piece.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass")


def _lines(archived: Path, named: set[int]) -> Iterator[Piece]:
    """Yield the lines of a file; those without a row that is named together."""
    last = max(named, default=0)
    with archived.open("rb") as file:
        for stretch in of_lines(archived, 0, Blanks()):
            file.seek(stretch.offset)
            text = file.read(-1 if stretch.length is None else stretch.length)
            if stretch.before >= last:
                yield None, text
                continue
            number = stretch.before
            for line in _split(text):
                is_row = bool(line.strip(b" \t\r\n"))
                number += is_row
                yield (number if is_row and number in named else None), line


def _split(text: bytes) -> list[bytes]:
    """Return lines that end with a line feed and nothing else."""
    *lines, rest = text.split(b"\n")
    return [line + b"\n" for line in lines] + ([rest] if rest else [])


def _write_delimited(
    archived: Path,
    file: BinaryIO,
    spec: SourceSpec,
    rows: set[int],
    mentions: set[int],
    target: Target,
) -> None:
    options = DelimitedOptions.model_validate(spec.reader.options)
    shape = layout(archived, options)
    n_cells = len(shape.header)
    if n_cells == 1 and options.quote == "none":
        raise NotRewritable
    empty = shape.delimiter * (n_cells - 1) if n_cells > 1 else options.quote * 2
    file.write(shape.encoding.bom)
    for number, piece in _records(archived, options, rows | mentions):
        clean = _clean(number, piece, empty.encode(), rows, target)
        is_utf8 = shape.encoding.name == "utf-8"
        file.write(clean if is_utf8 else clean.decode().encode(shape.encoding.name))


def _records(archived: Path, options: DelimitedOptions, named: set[int]) -> Iterator[Piece]:
    """Yield the records of delimited text; blocks without a row that is named as a whole."""
    shape = layout(archived, options)
    how = quoting(shape.delimiter, options)
    stream = Utf8Stream(archived, shape.encoding)
    yield None, stream.read(len(shape.above))
    number, rest, is_last = 0, b"", False
    while not is_last:
        data = stream.read(BLOCK_BYTES)
        is_last = not data
        block = rest + data
        found = None
        if options.escape is None and block:
            found = cut(block, shape.delimiter, options.quote, is_last=is_last)
        if found and found.end and named.isdisjoint(range(number + 1, number + found.rows + 1)):
            yield None, block[: found.end]
            number, rest = number + found.rows, block[found.end :]
            continue
        end = 0
        for record in how.records(block, is_whole=is_last or len(block) > CHUNK_BYTES):
            piece, end = block[record.start : record.end], record.end
            number += bool(piece.strip(b"\r\n"))
            yield (number if number in named and piece.strip(b"\r\n") else None), piece
        rest = block[end:]
    stream.close()


def _write_parquet(
    archived: Path,
    file: BinaryIO,
    rows: set[int],
    mentions: set[int],
    names: set[str],
    target: Target,
) -> None:
    """Write a Parquet file of plain nullable columns without the person."""
    ids = sorted({person_id.casefold() for _, person_id in target.ids})
    with pq.ParquetFile(archived) as source:
        schema = source.schema_arrow
        if any(not field.nullable or field.type.num_fields for field in schema):
            raise NotRewritable
        number = 0
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in source.iter_batches(BATCH_ROWS):
                frame = pl.DataFrame(batch)
                own = pl.int_range(number + 1, number + frame.height + 1)
                number += frame.height
                is_named = own.is_in(list(mentions))
                for name in names & set(frame.columns):
                    if frame.schema[name] != pl.String and mentions:
                        raise NotRewritable
                    is_id = pl.col(name).str.strip_chars().str.to_lowercase().is_in(ids)
                    stone = pl.when(is_named & is_id).then(pl.lit(target.stone_id))
                    frame = (
                        frame.with_columns(stone.otherwise(pl.col(name)).alias(name))
                        if (mentions)
                        else frame
                    )
                kept = pl.when(~own.is_in(list(rows))).then(pl.all())
                table = target.scrubbed(frame.select(kept)).to_arrow()
                writer.write_table(table.cast(schema))


def _originals(path: Path, spec: SourceSpec) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file as they were delivered, in order."""
    reader = READERS[spec.reader.name]
    options = reader.options.model_validate(spec.reader.options)
    for chunk in reader.open(path, options, wanted(spec)).chunks:
        yield written_out(chunk.originals, path).sort(SOURCE_ROW)


def _person_columns(spec: SourceSpec) -> set[str]:
    names: set[str] = set()
    for block in spec.records:
        people = {c.name for c in columns(CONTRACTS[block.kind]) if c.is_personal}
        for name, mapping in block.field_maps():
            if name in people:
                names |= {*mapping.columns(), *(mapping.column or ())}
    return names


def _mentions(frame: pl.DataFrame, names: set[str], target: Target) -> set[int]:
    """Return the rows in which the person's id stands in a column of persons."""
    ids = sorted({person_id.casefold() for _, person_id in target.ids})
    present = [name for name in frame.columns if name in names]
    found: set[int] = set()
    if LINE in frame.columns and ids:
        line = pl.col(LINE).str.to_lowercase()
        is_in = [
            line.str.contains(rf'"{re.escape(i)}"|[:\[,]\s*{re.escape(i)}\s*[,\]}}]') for i in ids
        ]
        found = set(frame.filter(pl.any_horizontal(is_in))[SOURCE_ROW])
    if present:
        is_id = pl.any_horizontal(
            pl.col(name).cast(pl.String).str.strip_chars().str.to_lowercase().is_in(ids)
            for name in present
        )
        found |= set(frame.filter(is_id)[SOURCE_ROW])
    return found


def _is_a_number_too(person_id: str) -> bool:
    """Tell whether an id might stand in a row as a mark or a level as well."""
    return person_id.isdecimal() and len(person_id) < 4


def _without_short_ids(piece: str, target: Target) -> str:
    ids = "|".join(re.escape(i) for i in longest_first({i for _, i in target.ids}))
    return re.sub(rf"(?i)(?<![^\W_])(?:{ids})(?![^\W_])", target.stone_id, piece)


def _is_same_but(
    before: Iterator[pl.DataFrame],
    after: Iterator[pl.DataFrame],
    rows: set[int],
    mentions: set[int],
    target: Target,
) -> bool:
    """Tell whether two readings agree on every row but those that were to change."""

    def told(frames: Iterator[pl.DataFrame], *, is_old: bool) -> bytes:
        digest = hashlib.sha256()
        for frame in frames:
            others = frame.filter(~pl.col(SOURCE_ROW).is_in(list(rows)))
            others = _scrubbed(others, target) if is_old else others
            digest.update(
                others.select(_row_hash(others, mentions)).to_series().to_numpy().tobytes()
            )
        return digest.digest()

    return told(before, is_old=True) == told(after, is_old=False)


def _row_hash(frame: pl.DataFrame, mentions: set[int]) -> pl.Expr:
    """Return a hash of each row; of a row that names the person it is one of its number only.

    A cell that is empty counts for nothing, nor does the column of a file in which all are.
    """
    is_named = pl.col(SOURCE_ROW).is_in(list(mentions))
    found = pl.col(SOURCE_ROW).hash(0)
    for name in frame.columns:
        if name != SOURCE_ROW:
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
            cell = pl.col(name).cast(pl.String)
            is_told = cell.is_not_null() & ~is_named
            found = found ^ pl.when(is_told).then(cell.hash(seed)).otherwise(pl.lit(0, pl.UInt64))
    return found.alias("hash")


def _scrubbed(frame: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Return a frame without the words, having looked for them by a cheaper way than by masking."""
    words = [word.lower() for word in target.words]
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if not (words and texts):
        return frame
    has_word = pl.any_horizontal(pl.col(texts).str.to_lowercase().str.contains_any(words))
    marked = frame.with_columns(has_word.fill_null(value=False).alias("__has_word"))
    if not marked["__has_word"].any():
        return frame
    found = target.scrubbed(marked.filter("__has_word"))
    return (
        pl.concat([marked.filter(~pl.col("__has_word")), found]).sort(SOURCE_ROW).drop("__has_word")
    )


def replay_without(archived: Path, rows: set[int], target: Target) -> bytes:
    """Return the bytes of a replay, one line a record, without some rows."""
    lines = archived.read_bytes().decode("utf-8", "surrogatepass").split("\n")
    kept = []
    for number, line in enumerate(lines, 1):
        if number in rows and line:
            at = json.loads(line)["replays"]
            line = json.dumps(
                {"replays": at, "record": {}, "corrections": {}, "problems": [], "original": None}
            )
        kept.append(target.scrub(line))
    return "\n".join(kept).encode("utf-8", "surrogatepass")
