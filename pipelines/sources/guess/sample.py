"""The first rows of an unknown file, by the reader that fits it."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.sources.readers import READERS, Unreadable, Wanted
from pipelines.sources.readers.archive import Archive
from pipelines.sources.readers.base import SOURCE_ROW, Chunk, reader_for
from pipelines.sources.readers.delimited import DELIMITERS, DelimitedOptions, quoting
from pipelines.sources.readers.encodings import SAMPLE_BYTES, Utf8Stream, lines_of, recognise
from pipelines.sources.readers.json_array import arrays
from pipelines.sources.readers.workbook import Workbook
from pipelines.sources.readers.xlsx import DAMAGE

ROWS = 2_000
HEADER_WITHIN = 30
EVERYTHING = Wanted(patterns=("",))


@dataclass(frozen=True)
class Table:
    """The first rows of one table, as columns of text."""

    part: str | None
    columns: pl.DataFrame


@dataclass(frozen=True)
class Sample:
    """What a file seems to be."""

    reader: str
    options: dict[str, Any]
    tables: list[Table]
    facts: dict[str, Any] = field(default_factory=dict)


def take(path: Path) -> Sample:
    """Return the first rows of a file, read as its name and its content suggest.

    Raises:
        Unreadable: no reader can read it.
    """
    name = reader_name(path)
    best: Sample | None = None
    for options in _options(name, path):
        try:
            found = _read(name, options, path)
        except Unreadable:
            if best is None and options == {}:
                raise
            continue
        if best is None or _size(found) > _size(best):
            best = found
    if best is None:
        raise Unreadable(
            "no_records", "The file holds no table.", "Check what the export was asked for."
        )
    return best


def _size(sample: Sample) -> int:
    return sum(table.columns.height * table.columns.width for table in sample.tables)


def reader_name(path: Path) -> str:
    """Return the reader of a file: by its first bytes, and by its name where they do not tell."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK"):
        try:
            with Archive(path) as archive:
                return "xlsx" if "xl/workbook.xml" in archive.namelist() else "zip"
        except zipfile.BadZipFile:
            return "zip"
    by_name = reader_for(path)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if by_name is None and text[:1] in (b"[", b"{"):
        return "json" if text[:1] == b"[" or b"}\n{" not in start else "jsonl"
    return by_name.name if by_name is not None else "delimited"


def _options(name: str, path: Path) -> Iterator[dict[str, Any]]:
    if name == "json":
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
        found = arrays(head.removeprefix(b"\xef\xbb\xbf"))
        if not found or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
            yield {}
        yield from ({"records_at": at} for at in found[:10])
    elif name == "xlsx":
        yield _skipped(_workbook_header(path))
    elif name == "delimited":
        yield _skipped(_text_header(path))
    else:
        yield {}


def _skipped(lines: int) -> dict[str, Any]:
    return {"skip_rows": lines} if lines else {}


def _text_header(path: Path) -> int:
    """Return how many lines stand above the header of delimited text."""
    try:
        text = Utf8Stream(path, recognise(path, None)).read(1 << 16).decode(errors="ignore")
    except Unreadable:
        return 0
    lines = list(islice(lines_of(text), 200))
    sample = "".join(lines).encode()
    best: list[list[str]] = []
    for delimiter in DELIMITERS:
        how = quoting(delimiter, DelimitedOptions())
        rows = [how.cells(sample, record) for record in how.records(sample)]
        if len(rows) == len(lines) and _usual_width(rows) > _usual_width(best):
            best = rows
    return _header_at(best)


def _workbook_header(path: Path) -> int:
    """Return the number of the row above the header of the first sheet that holds a table."""
    try:
        book = Workbook.open(path)
        for sheet in book.sheets:
            rows = list(islice(book.rows(sheet, fill_merged=False), HEADER_WITHIN))
            if len(rows) > 1:
                listed = [
                    [row.cells.get(n, "") for n in range(max(row.cells, default=-1) + 1)]
                    for row in rows
                ]
                at = _header_at(listed)
                is_plain = all(len(row.cells) == 1 for row in rows[:at])
                return 0 if is_plain else rows[at].number - 1
    except DAMAGE:  # the reader says how it is damaged
        return 0
    return 0


def _usual_width(rows: list[list[str]]) -> int:
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths, key=lambda width: (widths[width], width)) if widths else 0


def _header_at(rows: list[list[str]]) -> int:
    """Return the first row that is as wide as most and holds words in every cell."""
    width = _usual_width(rows)
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        filled = [cell for cell in row if cell.strip()]
        words = [cell for cell in filled if not cell.strip()[0].isdigit()]
        if width and len(row) == width and len(filled) >= 0.6 * width and len(words) == len(filled):
            return number
    return 0


def _read(name: str, options: dict[str, Any], path: Path) -> Sample:
    reader = READERS[name]
    reading = reader.open(path, reader.options.model_validate(options), EVERYTHING)
    by_part: dict[str | None, list[Chunk]] = {}
    n_rows: Counter[str | None] = Counter()
    for chunk in reading.chunks:
        if n_rows[chunk.part] < ROWS:
            by_part.setdefault(chunk.part, []).append(chunk)
        n_rows[chunk.part] += chunk.rows.height
        if reading.parts is None and n_rows[chunk.part] >= ROWS:
            break
    tables = []
    for part, chunks in by_part.items():
        rows = pl.concat([chunk.rows for chunk in chunks], how="diagonal").head(ROWS)
        if rows.height:
            tables.append(Table(part, rows.drop(SOURCE_ROW)))
    return Sample(name, options | _dialect(name, reading.facts), tables, reading.facts)


def _dialect(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what was recognised and is better declared."""
    if name != "delimited":
        return {}
    encoding = facts["encoding"]
    return {"delimiter": facts["delimiter"], "encoding": encoding}
