"""Writes files of rows without a person, some rows at a time: delimited text, JSON Lines, Parquet.

Rows keep their numbers: an erased one is left empty, and another that names the person names them
no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.intake.erase_target import Target, longest_first
from pipelines.sources.readers.base import CHUNK_BYTES, ReaderOptions
from pipelines.sources.readers.delimited import DelimitedOptions, layout, quoting
from pipelines.sources.readers.encodings import Utf8Stream
from pipelines.sources.readers.stretches import Blanks, cut, of_lines

WRITABLE = ("delimited", "jsonl", "parquet")
"""Readers whose files can be written again row by row."""
BLOCK_BYTES = 1 << 22
BATCH_ROWS = 50_000

Piece = tuple[int | None, bytes]
"""A row with its number, or any number of rows that stay as they are; in UTF-8."""


class NotRewritable(Exception):  # noqa: N818  (says what the file is)
    """A file cannot be rewritten row by row."""


@dataclass(frozen=True)
class Erasing:
    """What is to go from a file."""

    rows: frozenset[int]
    """Rows that are about the person."""
    mentions: frozenset[int]
    """Rows about others in which the person's id stands."""
    names: frozenset[str]
    """Columns that hold persons."""
    target: Target

    def within(self, first: int, last: int) -> Erasing:
        """Return what is to go from a part of the file, whose rows begin with 1."""
        rows, mentions = (
            frozenset(row - first + 1 for row in named if first <= row <= last)
            for named in (self.rows, self.mentions)
        )
        return Erasing(rows, mentions, self.names, self.target)


def write_rows(
    path: Path, file: BinaryIO, reader: str, options: ReaderOptions, erasing: Erasing
) -> None:
    """Write a file again without what is to go from it.

    Raises:
        NotRewritable: it cannot be written row by row.
    """
    if reader == "parquet":
        _write_parquet(path, file, erasing)
    elif reader == "jsonl":
        for number, piece in _lines(path, erasing.rows | erasing.mentions):
            file.write(_clean(number, piece, b"{}", erasing))
    elif isinstance(options, DelimitedOptions):
        _write_delimited(path, file, options, erasing)
    else:
        raise NotRewritable


def scrub_text(path: Path, file: BinaryIO, target: Target) -> None:
    """Write a text of any kind again without the words of the person.

    Raises:
        NotRewritable: it is no text in UTF-8, or one of very long lines.
    """
    rest = b""
    with path.open("rb") as source:
        while True:
            data = source.read(BLOCK_BYTES)
            block = rest + data
            end = block.rfind(b"\n") + 1 if data else len(block)
            if b"\0" in data or len(block) - end > CHUNK_BYTES:
                raise NotRewritable
            try:
                text = block[:end].decode()
            except UnicodeDecodeError:
                raise NotRewritable from None
            file.write(target.scrub(text).encode())
            rest = block[end:]
            if not data:
                return


def holds_any(file: IO[bytes], written: Iterable[bytes]) -> bool:
    """Tell whether a stream holds one of some bytes, letter case of ASCII aside."""
    sought = set(written) - {b""}
    overlap = max(map(len, sought), default=1) - 1
    before = b""
    while block := file.read(BLOCK_BYTES):
        content = before + block.lower()
        if any(word in content for word in sought):
            return True
        before = content[-overlap:] if overlap else b""
    return False


def _clean(number: int | None, piece: bytes, empty: bytes, erasing: Erasing) -> bytes:
    """Return a piece without the person; one row of theirs is empty, another names them no more."""
    target = erasing.target
    if number is not None:
        text = piece.rstrip(b"\r\n")
        if number in erasing.rows:
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


def _lines(path: Path, named: frozenset[int]) -> Iterator[Piece]:
    """Yield the lines of a file; those without a row that is named together."""
    last = max(named, default=0)
    with path.open("rb") as file:
        for stretch in of_lines(path, 0, Blanks()):
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
    path: Path, file: BinaryIO, options: DelimitedOptions, erasing: Erasing
) -> None:
    shape = layout(path, options)
    n_cells = len(shape.header)
    if n_cells == 1 and options.quote == "none":
        raise NotRewritable
    empty = shape.delimiter * (n_cells - 1) if n_cells > 1 else options.quote * 2
    file.write(shape.encoding.bom)
    for number, piece in _records(path, options, erasing.rows | erasing.mentions):
        clean = _clean(number, piece, empty.encode(), erasing)
        is_utf8 = shape.encoding.name == "utf-8"
        file.write(clean if is_utf8 else clean.decode().encode(shape.encoding.name))


def _records(path: Path, options: DelimitedOptions, named: frozenset[int]) -> Iterator[Piece]:
    """Yield the records of delimited text; blocks without a row that is named as a whole."""
    shape = layout(path, options)
    how = quoting(shape.delimiter, options)
    stream = Utf8Stream(path, shape.encoding)
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
        for record in how.records(block, is_whole=is_last):
            piece, end = block[record.start : record.end], record.end
            number += bool(piece.strip(b"\r\n"))
            yield (number if number in named and piece.strip(b"\r\n") else None), piece
        rest = block[end:]
    stream.close()


def _write_parquet(path: Path, file: BinaryIO, erasing: Erasing) -> None:
    """Write a Parquet file of plain nullable columns without the person."""
    target, mentions = erasing.target, list(erasing.mentions)
    named_in = erasing.names if mentions else frozenset()
    ids = sorted({person_id.casefold() for _, person_id in target.ids})
    with pq.ParquetFile(path) as source:
        schema = source.schema_arrow
        if any(not field.nullable or field.type.num_fields for field in schema):
            raise NotRewritable
        number = 0
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in source.iter_batches(BATCH_ROWS):
                frame = pl.DataFrame(batch)
                own = pl.int_range(number + 1, number + frame.height + 1)
                number += frame.height
                is_named = own.is_in(mentions)
                for name in named_in & set(frame.columns):
                    if frame.schema[name] != pl.String:
                        raise NotRewritable
                    is_id = pl.col(name).str.strip_chars().str.to_lowercase().is_in(ids)
                    stone = pl.when(is_named & is_id).then(pl.lit(target.stone_id))
                    frame = frame.with_columns(stone.otherwise(pl.col(name)).alias(name))
                kept = pl.when(~own.is_in(list(erasing.rows))).then(pl.all())
                table = target.scrubbed(frame.select(kept)).to_arrow()
                writer.write_table(table.cast(schema))


def is_a_number_too(person_id: str) -> bool:
    """Tell whether an id might stand in a row as a mark or a level as well."""
    return person_id.isdecimal() and len(person_id) < 4


def _without_short_ids(piece: str, target: Target) -> str:
    ids = "|".join(re.escape(i) for i in longest_first({i for _, i in target.ids}))
    return re.sub(rf"(?i)(?<![^\W_])(?:{ids})(?![^\W_])", target.stone_id, piece)
