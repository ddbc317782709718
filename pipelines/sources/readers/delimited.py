"""Delimited text: CSV and its relatives, as programs and people really write it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Literal

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
from pipelines.sources.readers.quoting import STRAY, UNCLOSED, Quoting, Record, Tidied
from pipelines.sources.readers.stretches import STRETCH_BYTES, Stretch, of_delimited

DELIMITERS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""With this line in front of the header, Excel is told the delimiter."""

Character = Annotated[str, Field(pattern=r"^[\t\x20-\x7e]$")]
"""One character of ASCII that ends no line."""

RAGGED = "ragged_row"
SUGGESTIONS = {
    RAGGED: "Compare the cells of the row with the header: one is missing or too many; a "
    "cell that holds the delimiter must be quoted.",
    UNCLOSED: "A quotation mark opens in this row and is not closed: close it, or double it inside "
    "a quoted cell.",
    STRAY: "Text follows a closing quotation mark: double the marks inside a quoted cell, or leave "
    "out those around it.",
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
    code: str | None = None
    """What is wrong with its quotation marks."""


@register("delimited")
class Delimited:
    """Reads delimited text with one pass of Arrow's CSV parser."""

    name: ClassVar[str] = "delimited"
    version: ClassVar[int] = 6
    options: ClassVar[type[ReaderOptions]] = DelimitedOptions
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".txt")
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: DelimitedOptions, wanted: Wanted) -> Reading:
        """Begin to read a file of delimited text."""
        del wanted
        shape = layout(path, options)
        stream = Utf8Stream(path, shape.encoding)
        stream.read(len(shape.above))
        facts = {
            "reader": Delimited.name,
            "encoding": shape.encoding.name,
            "encoding_declared": shape.encoding.declared,
            "bom": bool(shape.encoding.bom),
            "delimiter": shape.delimiter,
            "columns": shape.header,
        }
        parser = _Parser(stream, shape.header, shape.delimiter, options)
        return Reading(
            facts=facts,
            chunks=parser.chunks(),
            header=shape.header,
            seen=set(shape.header),
            stretches=_stretches(path, shape, options),
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
        parser.before = part.before
        parser.is_regular = part.length is not None
        return Reading(facts={}, chunks=parser.chunks(), header=header, seen=set(header))


@dataclass(frozen=True)
class Layout:
    """What is known of a file of delimited text before its rows are read.

    Attributes:
        encoding: how its bytes are text.
        delimiter: between cells.
        header: the names of its columns.
        above: what stands above the rows, in UTF-8, without a byte order mark.
    """

    encoding: Encoding
    delimiter: str
    header: list[str]
    above: bytes


def layout(path: Path, options: DelimitedOptions) -> Layout:
    """Return how a file of delimited text is laid out.

    Raises:
        Unreadable: the file is empty, or no text.
    """
    if path.stat().st_size == 0:
        raise _empty()
    _refuse_other_formats(path)
    encoding = recognise(path, options.encoding)
    stream = Utf8Stream(path, encoding)
    sample = stream.read(SAMPLE_BYTES)
    stream.close()
    text = sample.decode(errors="ignore")
    if not text.strip():
        raise _empty()
    named = SEPARATOR_LINE.match(text) if not options.skip_rows else None
    n_named = len(named[0].encode()) if named else 0
    text = text[named.end() :] if named else text
    delimiter = options.delimiter or (named[1] if named else _sniff(text, options))
    header, end = _header(text, delimiter, options)
    return Layout(encoding, delimiter, header, sample[: n_named + end])


@dataclass(frozen=True)
class CutText:
    """A stretch of delimited text, with what its rows are read by."""

    part: Stretch
    encoding: Encoding
    delimiter: str
    header: tuple[str, ...]


def _stretches(path: Path, shape: Layout, options: DelimitedOptions) -> Iterator[CutText] | None:
    """Return where the rows can be cut; None where a byte may mean something else than itself."""
    encoding, above, delimiter = shape.encoding, shape.above, shape.delimiter
    is_ascii = delimiter.isascii() and options.quote.isascii()
    if encoding.name != "utf-8" or options.escape is not None or not is_ascii:
        return None
    start, lines = len(encoding.bom) + len(above), above.count(b"\n")
    parts = of_delimited(path, start, lines, delimiter, options.quote, STRETCH_BYTES)
    return _cut_text(parts, encoding, delimiter, tuple(shape.header))


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
        self.quoting = quoting(delimiter, options)
        self.tidied: Tidied | None = None
        self.is_regular = options.quote == "none"
        """Whether no quotation mark needs to be looked at."""
        self.bad: list[_BadRow] = []
        self.parsed = 0
        """Rows that Arrow has counted so far, good and bad."""
        self.before = 0
        """Rows of the file above the first that is parsed here."""

    def chunks(self) -> Iterator[Chunk]:
        """Return the rows in chunks; refused rows at the end come with the last good ones."""
        held: pl.DataFrame | None = None
        for frame in self._frames():
            if held is not None:
                yield self._chunk(held)
            held = frame
        if held is None:
            held = pl.DataFrame(schema=dict.fromkeys(self.header, pl.String))
        if held.height or self.bad:
            yield self._chunk(held)
        if not self.before + self.parsed:
            raise _header_only()

    def _frames(self) -> Iterator[pl.DataFrame]:
        names = [f"c{n}" for n in range(len(self.header))]
        quote = self.options.quote
        stream: Utf8Stream | Tidied = self.stream
        if not self.is_regular:
            stream = self.tidied = Tidied(stream, self.quoting, len(self.header))
        first = stream.read(CHUNK_BYTES)
        if not first.strip(b"\r\n"):
            return
        stream.push_back(first)
        try:
            batches = pa_csv.open_csv(
                pa.PythonFile(stream, mode="r"),
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
        text, code = row.text, None
        if self.tidied and text == self.tidied.mark and self.tidied.refused:
            code, text = self.tidied.refused.popleft()
        self.bad.append(_BadRow(row.number, text, code))
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
        rows = good.insert_column(0, pl.Series(SOURCE_ROW, numbers + self.before, dtype=pl.Int64))
        self.parsed = last
        if here:
            return self._with_bad_rows(rows, here)
        return self._without_nul(Chunk(rows, rows, no_problems()))

    def _with_bad_rows(self, rows: pl.DataFrame, bad: list[_BadRow]) -> Chunk:
        mended: list[tuple[int, list[str]]] = []
        refused: list[tuple[int, str, str]] = []
        for row in bad:
            number = row.number + self.before
            cells = None if row.code else self._fitted(self._cells(row.text))
            if cells is None:
                refused.append((number, row.code or RAGGED, row.text))
            else:
                mended.append((number, cells))
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

    def _cells(self, row: str) -> list[str]:
        text = row.encode()
        return self.quoting.cells(text, Record(0, len(text)))

    def _fitted(self, cells: list[str]) -> list[str] | None:
        n = len(self.header)
        if len(cells) > n and not any(cell.strip() for cell in cells[n:]):
            return cells[:n]
        if len(cells) < n and self.options.ragged == "pad":
            return cells + [""] * (n - len(cells))
        return cells if len(cells) == n else None

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


def quoting(delimiter: str, options: DelimitedOptions) -> Quoting:
    """Return how cells are told apart."""
    return Quoting(delimiter, options.quote, options.escape)


OTHER_FORMATS = (
    (re.compile(rb"PK\x03\x04"), "an XLSX workbook or a ZIP archive"),
    (
        re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "an old Excel workbook, or one with a password",
    ),
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"PAR1"), "a Parquet file"),
    (re.compile(rb"\x1f\x8b"), "a file packed by gzip"),
    (
        re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|table)\b"),
        "a web page",
    ),
)
"""How files begin that are sent under the name of a text."""


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as file:
        begin = file.read(256)
    for pattern, what in OTHER_FORMATS:
        if pattern.match(begin):
            raise Unreadable(
                "wrong_format",
                f"The file is {what}, and no delimited text.",
                "Export it as CSV; if its format is right, name another reader in the spec. A web "
                "page may be what a system answers where a log-in has run out.",
            )


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
    sample = "".join(lines).encode()
    best, best_score = ",", (False, 0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(cells) for cells in rows_of(sample, quoting(delimiter, options))]
        width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
        is_like_header = bool(widths) and widths[0] == width
        score = (is_like_header, round(count / max(1, len(widths)), 1), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def rows_of(sample: bytes, how: Quoting) -> Iterator[list[str]]:
    """Yield the cells of each line of a text that is not blank."""
    for record in how.records(sample):
        if sample[record.start : record.end].strip(b"\r\n"):
            yield how.cells(sample, record)


def _header(text: str, delimiter: str, options: DelimitedOptions) -> tuple[list[str], int]:
    """Return the names of the columns, and where in the UTF-8 bytes the rows begin."""
    sample, how = text.encode(), quoting(delimiter, options)
    start = sum(len(line.encode()) for line in islice(lines_of(text), options.skip_rows))
    if options.columns is not None and options.header_rows == 0:
        return list(options.columns), start
    rows: list[list[str]] = []
    end = start
    for record in how.records(sample[start:]):
        end = start + record.end
        if sample[start + record.start : end].strip(b"\r\n"):
            rows.append(how.cells(sample[start:], record))
        if len(rows) == max(1, options.header_rows):
            break
    if len(rows) < max(1, options.header_rows):
        raise _empty()
    if options.header_rows == 0:
        return numbered(len(rows[0])), start
    if options.columns is not None:
        return list(options.columns), end
    return header_of(rows, options.headers), end
