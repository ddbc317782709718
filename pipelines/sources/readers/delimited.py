"""Delimited text: CSV and its relatives, as programs and people really write it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
from pydantic import Field

from pipelines.sources.readers.base import (
    CHUNK_BYTES,
    LINE,
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
from pipelines.sources.readers.encodings import (
    DECLARABLE,
    SAMPLE_BYTES,
    Encoding,
    Utf8Stream,
    lines_of,
    recognise,
)
from pipelines.sources.readers.headers import Compared, header_of, numbered
from pipelines.sources.readers.stretches import STRETCH_BYTES, Stretch, of_delimited

DELIMITERS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""With this line in front of the header, Excel is told the delimiter."""

Character = Annotated[str, Field(min_length=1, max_length=1)]

SUGGESTIONS = {
    "ragged_row": "Compare the cells of the row with the header: one is missing or too many; a "
    "cell that holds the delimiter must be quoted.",
    "unclosed_quote": "A quotation mark opens in this row and is not closed: close it, or double "
    "it inside a quoted cell.",
    "nul_byte": "The row holds NUL characters: export it again.",
}


class DelimitedOptions(ReaderOptions):
    """How the text is cut; what is not declared is recognised."""

    delimiter: Character | None = None
    encoding: Literal[DECLARABLE] | None = None  # type: ignore[valid-type]
    quote: Character | Literal["none"] = '"'
    escape: Character | None = None
    skip_rows: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lines above the header, such as a title."""
    header_rows: Annotated[int, Field(ge=0, le=10)] = 1
    columns: list[str] | None = None
    """The names of the columns, where the file has no header."""
    headers: Compared = "trimmed"
    """How headers are compared: as written, without outer and double spaces, or without case."""
    ragged: Literal["refuse", "pad"] = "refuse"
    """What becomes of rows with too few cells. Surplus cells that are empty are always cut."""


@dataclass
class _BadRow:
    number: int
    text: str
    is_open: bool = False
    """Whether its last quote is open to the end of the file."""


@register("delimited")
class Delimited:
    """Reads delimited text with one pass of Arrow's CSV parser."""

    name: ClassVar[str] = "delimited"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = DelimitedOptions
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".txt")
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: DelimitedOptions, wanted: Wanted) -> Reading:
        """Begin to read a file of delimited text."""
        del wanted
        if path.stat().st_size == 0:
            raise _empty()
        encoding = recognise(path, options.encoding)
        stream = Utf8Stream(path, encoding)
        sample = stream.read(SAMPLE_BYTES)
        text = sample.decode(errors="ignore")
        if not text.strip():
            raise _empty()
        named = SEPARATOR_LINE.match(text) if not options.skip_rows else None
        if named is not None:
            text, sample = text[named.end() :], sample[len(named[0].encode()) :]
        delimiter = options.delimiter or (named[1] if named else _sniff(text, options))
        header, end = _header(text, delimiter, options)
        stream.push_back(sample[end:])
        facts = {
            "reader": Delimited.name,
            "encoding": encoding.name,
            "encoding_declared": encoding.declared,
            "bom": bool(encoding.bom),
            "delimiter": delimiter,
            "columns": header,
        }
        parser = _Parser(stream, header, delimiter, options)
        return Reading(
            facts=facts,
            chunks=parser.chunks(),
            header=header,
            seen=set(header),
            stretches=_stretches(path, encoding, sample[:end], header, delimiter, options),
        )

    @staticmethod
    def open_stretch(
        path: Path, options: DelimitedOptions, wanted: Wanted, stretch: CutText
    ) -> Reading:
        """Begin to read a stretch of a file."""
        del wanted
        part = stretch.part
        stream = Utf8Stream(path, stretch.encoding, part.offset, part.length, part.lines + 1)
        header = list(stretch.header)
        parser = _Parser(stream, header, stretch.delimiter, options)
        parser.given = part.before
        return Reading(facts={}, chunks=parser.chunks(), header=header, seen=set(header))


@dataclass(frozen=True)
class CutText:
    """A stretch of delimited text, with what its rows are read by."""

    part: Stretch
    encoding: Encoding
    delimiter: str
    header: tuple[str, ...]


def _stretches(
    path: Path,
    encoding: Encoding,
    above: bytes,
    header: list[str],
    delimiter: str,
    options: DelimitedOptions,
) -> Iterator[CutText] | None:
    """Return where the rows can be cut; None where a byte may mean something else than itself."""
    is_ascii = delimiter.isascii() and options.quote.isascii()
    if encoding.name != "utf-8" or options.escape is not None or not is_ascii:
        return None
    start, lines = len(encoding.bom) + len(above), above.count(b"\n")
    parts = of_delimited(path, start, lines, delimiter, options.quote, STRETCH_BYTES)
    return _cut_text(parts, encoding, delimiter, tuple(header))


def _cut_text(
    parts: Iterator[Stretch], encoding: Encoding, delimiter: str, header: tuple[str, ...]
) -> Iterator[CutText]:
    is_empty = True
    for part in parts:
        is_empty = False
        yield CutText(part, encoding, delimiter, header)
    if is_empty:
        raise _header_only()


class _Parser:
    def __init__(
        self, stream: Utf8Stream, header: list[str], delimiter: str, options: DelimitedOptions
    ) -> None:
        self.stream, self.header, self.delimiter, self.options = stream, header, delimiter, options
        self.bad: list[_BadRow] = []
        self.parsed = 0
        """Rows that Arrow has counted so far, good and bad."""
        self.given = 0
        """Rows given out so far; more than `parsed` where a swallowed row was taken apart."""

    def chunks(self) -> Iterator[Chunk]:
        """Return the rows in chunks; the last row is held back until the end is seen."""
        held: pl.DataFrame | None = None
        for frame in self._frames():
            if held is not None:
                yield self._chunk(held)
            held = frame
        if held is None:
            held = pl.DataFrame(schema=dict.fromkeys(self.header, pl.String))
        held = self._without_unclosed_end(held)
        if held.height or self.bad:
            yield self._chunk(held)
        if not self.given:
            raise _header_only()

    def _frames(self) -> Iterator[pl.DataFrame]:
        names = [f"c{n}" for n in range(len(self.header))]
        quote = self.options.quote
        first = self.stream.read(CHUNK_BYTES)
        if not first.strip(b"\r\n"):
            return
        self.stream.push_back(first)
        try:
            batches = pa_csv.open_csv(
                pa.PythonFile(self.stream, mode="r"),
                read_options=pa_csv.ReadOptions(
                    column_names=names, block_size=CHUNK_BYTES, use_threads=False
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char=False if quote == "none" else quote,
                    double_quote=quote != "none",
                    escape_char=self.options.escape or False,
                    newlines_in_values=quote != "none",
                    ignore_empty_lines=True,
                    invalid_row_handler=self._note_bad_row,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string()),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
            for batch in batches:
                frame = pl.from_arrow(batch)
                if isinstance(frame, pl.DataFrame):
                    yield frame.rename(dict(zip(names, self.header, strict=True)))
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return
            raise Unreadable(
                "unclosed_quote",
                f"A row is longer than {CHUNK_BYTES >> 20} MiB: a quotation mark is not closed.",
                "Find the quotation mark without a partner and export again.",
            ) from None

    def _note_bad_row(self, row: pa_csv.InvalidRow) -> str:
        self.bad.append(_BadRow(row.number, row.text))
        return "skip"

    def _chunk(self, good: pl.DataFrame) -> Chunk:
        """Give good and bad rows their numbers, in the order of the file."""
        first = self.parsed + 1
        bad = self.bad
        candidates = np.arange(first, first + good.height + len(bad), dtype=np.int64)
        numbers = np.setdiff1d(candidates, [row.number for row in bad], assume_unique=True)
        numbers = numbers[: good.height]
        last = int(numbers[-1]) if len(numbers) else first + len(bad) - 1
        here = [row for row in bad if row.number <= last]
        self.bad = [row for row in bad if row.number > last]
        if self.bad and self.bad[0].number == last + 1:
            run = [row for n, row in enumerate(self.bad) if row.number == last + 1 + n]
            here, self.bad, last = here + run, self.bad[len(run) :], last + len(run)
        shift = self.given - self.parsed
        rows = good.insert_column(0, pl.Series(SOURCE_ROW, numbers + shift, dtype=pl.Int64))
        self.parsed = last
        self.given = last + shift
        if here:
            return self._with_bad_rows(rows, here, shift)
        return self._without_nul(Chunk(rows, rows, no_problems()))

    def _with_bad_rows(self, rows: pl.DataFrame, bad: list[_BadRow], shift: int) -> Chunk:
        mended: list[tuple[int, list[str]]] = []
        refused: list[tuple[int, str, str]] = []
        inserted = 0
        moves: list[tuple[int, int]] = []
        for row in bad:
            number = row.number + shift + inserted
            parts = self._apart(row)
            for offset, (code, cells, text) in enumerate(parts):
                if code is None:
                    mended.append((number + offset, cells))
                else:
                    refused.append((number + offset, code, text))
            if len(parts) > 1:
                inserted += len(parts) - 1
                moves.append((row.number + shift, len(parts) - 1))
        for after, by in reversed(moves):
            rows = rows.with_columns(
                pl.when(pl.col(SOURCE_ROW) > after)
                .then(pl.col(SOURCE_ROW) + by)
                .otherwise(pl.col(SOURCE_ROW))
            )
        self.given += inserted
        schema = {SOURCE_ROW: pl.Int64(), **dict.fromkeys(self.header, pl.String())}
        if mended:
            extra = pl.DataFrame(
                [[number, *cells] for number, cells in mended], schema=schema, orient="row"
            )
            rows = pl.concat([rows, extra]).sort(SOURCE_ROW)
        lost = pl.DataFrame(
            {SOURCE_ROW: [r[0] for r in refused], LINE: [r[2] for r in refused]},
            schema={SOURCE_ROW: pl.Int64(), LINE: pl.String()},
        )
        problems = pl.DataFrame(
            [(number, code, SUGGESTIONS[code]) for number, code, _ in refused],
            schema=ROW_PROBLEMS,
            orient="row",
        )
        originals = pl.concat([rows, lost], how="diagonal").sort(SOURCE_ROW)
        return self._without_nul(Chunk(rows, originals, problems))

    def _apart(self, row: _BadRow) -> list[tuple[str | None, list[str], str]]:
        """Take a row with the wrong number of cells apart: (problem, cells, text) of each row.

        A quote that is never closed swallows the rows below it: the line it stands in is
        refused, and the lines below are read by themselves.
        """
        text = row.text
        if not row.is_open and (fixed := self._fitted(self._cells(text))):
            return [(None, fixed, text)]
        lines = list(lines_of(text))
        if len(lines) == 1 or not self._opens_quote(lines[0]) or not self._opens_quote(text):
            return [("ragged_row", [], text)]
        parts: list[tuple[str | None, list[str], str]] = [("unclosed_quote", [], lines[0])]
        for cells in csv.reader(lines[1:], **self._dialect()):
            if cells:
                fitted = self._fitted(cells)
                code = None if fitted else "ragged_row"
                parts.append((code, fitted or [], self.delimiter.join(cells)))
        return parts

    def _cells(self, text: str) -> list[str]:
        return next(csv.reader(lines_of(text), **self._dialect()), [])

    def _fitted(self, cells: list[str]) -> list[str] | None:
        n = len(self.header)
        if len(cells) > n and not any(cell.strip() for cell in cells[n:]):
            return cells[:n]
        if len(cells) < n and self.options.ragged == "pad":
            return cells + [""] * (n - len(cells))
        return cells if len(cells) == n else None

    def _opens_quote(self, text: str) -> bool:
        return self.options.quote != "none" and text.count(self.options.quote) % 2 == 1

    def _dialect(self) -> dict[str, Any]:
        return dialect(self.delimiter, self.options)

    def _without_unclosed_end(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take a last row apart whose quote is open to the end of the file."""
        if not frame.height or self.options.quote == "none":
            return frame
        last = frame.row(-1)
        value = last[-1]
        quote = self.options.quote
        tail = self.stream.tail.decode(errors="ignore").replace(quote * 2, quote)
        if "\n" not in value or not tail.endswith(value[-64:]):
            return frame
        buffer = io.StringIO(newline="")
        csv.writer(buffer, **self._dialect(), lineterminator="").writerow(last[:-1])
        number = self._last_number(frame.height)
        opened = f"{buffer.getvalue()}{self.delimiter}{quote}{value.replace(quote, quote * 2)}"
        self.bad.append(_BadRow(number, opened, is_open=True))
        self.bad.sort(key=lambda row: row.number)
        return frame.head(-1)

    def _last_number(self, height: int) -> int:
        number, bad = self.parsed, {row.number for row in self.bad}
        for _ in range(height):
            number += 1
            while number in bad:
                number += 1
        return number

    def _without_nul(self, chunk: Chunk) -> Chunk:
        """Refuse rows with NUL characters, where the file has any."""
        if not self.stream.n_nul:
            return chunk
        has_nul = pl.any_horizontal(pl.col(self.header).str.contains("\0", literal=True))
        bad = chunk.rows.filter(has_nul).select(
            SOURCE_ROW,
            code=pl.lit("nul_byte"),
            suggestion=pl.lit(SUGGESTIONS["nul_byte"]),
        )
        return Chunk(chunk.rows.filter(~has_nul), chunk.originals, pl.concat([chunk.problems, bad]))


def dialect(delimiter: str, options: DelimitedOptions) -> dict[str, Any]:
    """Return the dialect for the standard library's reader and writer."""
    if options.quote == "none":
        return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE, "escapechar": options.escape}
    return {
        "delimiter": delimiter,
        "quotechar": options.quote,
        "escapechar": options.escape,
        "doublequote": True,
    }


def _empty() -> Unreadable:
    return Unreadable(
        "empty_file",
        "The file is empty.",
        "Check whether the export ended early, and send the file again.",
    )


def _header_only() -> Unreadable:
    return Unreadable(
        "header_only",
        "The file has a header and no rows.",
        "Check the filter of the export; if nothing happened, nothing needs to be sent.",
    )


def _sniff(text: str, options: DelimitedOptions) -> str:
    """Return the delimiter that cuts the first rows into the most columns of equal number.

    One that cuts the header like most rows comes before one that does not: a decimal comma stands
    in the rows only.
    """
    lines = list(lines_of(text))
    lines = lines[options.skip_rows : options.skip_rows + 200] if len(lines) > 1 else lines
    best, best_score = ",", (False, 0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, **dialect(delimiter, options)) if row]
        except csv.Error:
            continue
        width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
        is_like_header = bool(widths) and widths[0] == width
        score = (is_like_header, round(count / max(1, len(widths)), 1), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def _header(text: str, delimiter: str, options: DelimitedOptions) -> tuple[list[str], int]:
    """Return the names of the columns, and where in the UTF-8 bytes the rows begin."""
    consumed: list[str] = []

    def counted() -> Iterator[str]:
        for line in lines_of(text):
            consumed.append(line)
            yield line

    lines = counted()
    for _ in range(options.skip_rows):
        next(lines, None)
    if options.columns is not None and options.header_rows == 0:
        return list(options.columns), len("".join(consumed).encode())
    rows: list[list[str]] = []
    try:
        reader = csv.reader(lines, **dialect(delimiter, options))
        while len(rows) < max(1, options.header_rows):
            row = next(reader)
            if row:
                rows.append(row)
    except (StopIteration, csv.Error):
        raise _empty() from None
    if options.header_rows == 0:
        return numbered(len(rows[0])), 0
    end = len("".join(consumed).encode())
    if options.columns is not None:
        return list(options.columns), end
    return header_of(rows, options.headers), end
