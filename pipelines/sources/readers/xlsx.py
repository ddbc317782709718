"""XLSX workbooks: every sheet is a part, every cell the text that a person would see in it.

The XML is read as a stream by code of our own, since the libraries at hand make blanks of error
cells and of formulas without a value, and unfold sheets in memory (docs/decisions/0011).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.sources.readers.archive import Archive
from pipelines.sources.readers.base import (
    ROW_PROBLEMS,
    SOURCE_ROW,
    Chunk,
    Opener,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    register,
)
from pipelines.sources.readers.headers import Compared, header_of, numbered
from pipelines.sources.readers.parts import LINES_ABOVE, no_rows, read_parts
from pipelines.sources.readers.workbook import (
    CELL_ERROR,
    NO_VALUE,
    Row,
    Sheet,
    Workbook,
    XmlError,
    column_name,
)
from pipelines.sources.readers.zipped import refuse_bomb

CHUNK_CELLS = 400_000
TITLE_LINES = 30
DAMAGE = (zipfile.BadZipFile, XmlError, KeyError)
OLE = b"\xd0\xcf\x11\xe0"

SUGGESTIONS = {
    CELL_ERROR: "Cell {cell} holds an error such as #N/A or #DIV/0!: mend its formula and save the "
    "workbook, or write `errors: keep` in the spec and list the text under `missing`.",
    NO_VALUE: "Cell {cell} holds a formula whose value was not saved: open the workbook in a "
    "spreadsheet program and save it.",
}


class XlsxOptions(ReaderOptions):
    """Where the table lies on its sheet."""

    skip_rows: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Rows above the header, as the spreadsheet counts them. Where it is not said, lines with a
    single filled cell above a wider one are titles."""
    header_rows: Annotated[int, Field(ge=0, le=10)] = 1
    columns: list[str] | None = None
    """The names of the columns, where the sheet has no header."""
    headers: Compared = "trimmed"
    merged: Literal["leave", "fill"] = "leave"
    """Whether only the first cell of merged ones has their value, or all of them."""
    errors: Literal["refuse", "keep"] = "refuse"
    """Whether a row is refused for a cell such as #N/A, or the cell reads `#N/A`."""


@register("xlsx")
class Xlsx:
    """Reads the sheets of a workbook one after the other."""

    name: ClassVar[str] = "xlsx"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = XlsxOptions
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    has_parts: ClassVar[bool] = True

    @staticmethod
    def open(path: Path, options: XlsxOptions, wanted: Wanted) -> Reading:
        """Begin to read a workbook."""
        book = _opened(path)
        facts = {"reader": Xlsx.name, "dates_from": 1904 if book.is_1904 else 1900}
        return read_parts(facts, _openers(book, options), wanted)

    @staticmethod
    def parts(path: Path, options: XlsxOptions) -> dict[str, Opener]:
        """Return how each sheet is opened."""
        return _openers(_opened(path), options)


def _openers(book: Workbook, options: XlsxOptions) -> dict[str, Opener]:
    def opener(sheet: Sheet) -> Opener:
        return lambda wanted: _Table(book, sheet, options, wanted).reading()

    return {sheet.name: opener(sheet) for sheet in book.sheets}


def _opened(path: Path) -> Workbook:
    with path.open("rb") as file:
        start = file.read(4)
    if start == OLE:
        raise _damaged("it is encrypted, or of the old kind .xls")
    try:
        with Archive(path) as archive:
            for info in archive.infolist():
                refuse_bomb(info.filename, info)
        return Workbook.open(path)
    except DAMAGE as error:
        raise _damaged(str(error)) from None


def _damaged(why: str) -> Unreadable:
    return Unreadable(
        "unreadable_file",
        f"The file is no workbook that can be read: {why}.",
        "Save it again as .xlsx without a password, or as CSV, and send that.",
    )


class _Table:
    """The table on one sheet."""

    def __init__(self, book: Workbook, sheet: Sheet, options: XlsxOptions, wanted: Wanted) -> None:
        self.book, self.sheet, self.options, self.wanted = book, sheet, options, wanted
        self.header: list[str] = []
        self.width = 0
        self.above = 0
        """The number of the last row above the first one of the table."""

    def reading(self) -> Reading:
        """Begin to read the sheet: its header is read before its first row."""
        rows = self._rows()
        if self.options.skip_rows is None:
            rows = _without_titles(rows)
        first = self._read_header(rows)
        self.width = len(self.header)
        facts: dict[str, Any] = {LINES_ABOVE: self.above}
        if self.sheet.is_hidden:
            facts["hidden"] = True
        return Reading(facts, self._chunks(chain(first, rows)), self.header, set(self.header))

    def _rows(self) -> Iterator[Row]:
        try:
            yield from self.book.rows(self.sheet, fill_merged=self.options.merged == "fill")
        except DAMAGE as error:
            raise _damaged(f"sheet {self.sheet.name!r}: {error}") from None

    def _read_header(self, rows: Iterator[Row]) -> list[Row]:
        """Read the header, and return the first row below it if it was read too."""
        options = self.options
        lines: list[list[str]] = []
        for row in rows:
            if row.number <= (options.skip_rows or 0):
                continue
            last = max((*row.cells, *row.odd))
            if options.header_rows == 0:
                self.above = row.number - 1
                self.header = list(options.columns or numbered(last + 1))
                return [row]
            lines.append([row.cells.get(n, "") for n in range(last + 1)])
            self.above = row.number
            if len(lines) == options.header_rows:
                break
        if not lines:
            raise no_rows()
        self.header = list(options.columns or header_of(lines, options.headers))
        return []

    def _chunks(self, rows: Iterator[Row]) -> Iterator[Chunk]:
        at_once = max(1, CHUNK_CELLS // max(1, self.width))
        is_empty = True
        while batch := list(islice(rows, at_once)):
            is_empty = False
            yield self._chunk(batch)
        if is_empty:
            raise Unreadable(
                "header_only",
                "The sheet has a header and no rows.",
                "Check the filter of the export; if nothing happened, nothing needs to be sent.",
            )

    def _chunk(self, batch: list[Row]) -> Chunk:
        widest = max(max((*row.cells, *row.odd)) for row in batch)
        self.header += [f"column_{n + 1}" for n in range(len(self.header), widest + 1)]
        numbers = pl.Series(SOURCE_ROW, [row.number - self.above for row in batch], pl.Int64)
        cells = [
            pl.Series(name, [row.cells.get(n) for row in batch], dtype=pl.String)
            for n, name in enumerate(self.header)
        ]
        problems = self._problems(batch)
        rows = pl.DataFrame([numbers, *cells[: self.width]])
        if problems.height:
            rows = rows.filter(~pl.col(SOURCE_ROW).is_in(problems[SOURCE_ROW].implode()))
        return Chunk(rows, pl.DataFrame([numbers, *cells]), problems)

    def _problems(self, batch: list[Row]) -> pl.DataFrame:
        """Return rows that cannot be read for the sake of a cell that the mapping asks for."""
        found = []
        for row in batch:
            for n in sorted(row.odd):
                code = row.odd[n]
                is_kept = code == CELL_ERROR and self.options.errors == "keep"
                if n < self.width and not is_kept and self.wanted.has(self.header[n]):
                    said = SUGGESTIONS[code].format(cell=f"{column_name(n)}{row.number}")
                    found.append((row.number - self.above, code, said))
                    break
        return pl.DataFrame(found, schema=ROW_PROBLEMS, orient="row")


def _without_titles(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out lines of one filled cell above the first wider line, if such a one follows soon."""
    narrow: list[Row] = []
    for row in rows:
        if len(row.cells) > 1:
            yield row
            break
        narrow.append(row)
        if len(narrow) == TITLE_LINES:
            yield from narrow
            break
    else:
        yield from narrow
    yield from rows
