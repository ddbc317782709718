"""The XML of a workbook (ECMA-376), read as a stream: sheets, and rows of cells as text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.parsers import expat

from pipelines.sources.readers.archive import Archive

CELL_ERROR = "cell_error"
NO_VALUE = "formula_without_value"

FEED_BYTES = 1 << 16
MAX_COLUMN = 16_384
MAX_ROW = 1_048_576
LAST_SERIAL = 2_958_466
"""The day after 9999-12-31, counted from 1900."""

_FIXED_DATES = {*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59)}
_FIXED_TIMES = {*range(18, 22), 32, 33, 45, 46, 47}
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]+)(\d+)")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z]+\d+(?::[A-Z]+\d+)?)\"")


class XmlError(Exception):
    """The workbook's XML is not what a workbook has."""


@dataclass(frozen=True)
class Sheet:
    """A sheet, and the member of the archive that holds it."""

    name: str
    member: str
    is_hidden: bool = False


@dataclass(slots=True)
class Row:
    """The cells of a row that hold anything, by the number of their column."""

    number: int
    cells: dict[int, str] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    """Cells that hold an error, or a formula whose value was not saved, with the code of each."""


@dataclass(frozen=True)
class Workbook:
    """What must be known of a workbook before its rows can be read."""

    path: Path
    sheets: list[Sheet]
    is_1904: bool
    shared: list[str]
    formats: list[str]
    """For each cell style what its numbers are: `number`, `date` or `time`."""

    @classmethod
    def open(cls, path: Path) -> Workbook:
        """Read everything but the sheets.

        Raises:
            XmlError: the archive is no workbook, or its XML is damaged.
            KeyError: a member is missing.
        """
        with Archive(path) as archive:
            names = set(archive.namelist())
            main = _main_member(archive)
            folder = main.rpartition("/")[0]
            targets = _relations(archive, main)
            book = _Book()
            _parse(archive, main, book.start)
            strings = _Strings()
            styles = _Styles()
            for kind, target, _ in targets.values():
                if kind == "sharedStrings" and _at(folder, target) in names:
                    _parse(archive, _at(folder, target), strings.start, strings.end, strings.text)
                elif kind == "styles" and _at(folder, target) in names:
                    _parse(archive, _at(folder, target), styles.start)
        sheets = [
            Sheet(name, _at(folder, targets[relation][1]), is_hidden)
            for name, relation, is_hidden in book.sheets
            if targets.get(relation, ("",))[0] == "worksheet"
        ]
        if not sheets:
            raise XmlError("it has no sheet")
        return cls(path, sheets, book.is_1904, strings.found, styles.kinds())

    def rows(self, sheet: Sheet, *, fill_merged: bool) -> Iterator[Row]:
        """Yield the rows of a sheet that hold anything.

        Raises:
            XmlError: the XML is damaged.
        """
        with Archive(self.path) as archive:
            merged = _merged_ranges(archive, sheet.member) if fill_merged else []
            reader = _Rows(self, merged)
            with archive.open(sheet.member) as member:
                parser = _parser(reader.start, reader.end, reader.text)
                while data := member.read(FEED_BYTES):
                    _feed(parser, data, is_last=False)
                    yield from reader.taken()
                _feed(parser, b"", is_last=True)
                yield from reader.taken()


def column_name(number: int) -> str:
    """Return the letters of a column, counted from 0."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    if number > MAX_COLUMN:
        raise XmlError(f"there is no column {letters}")
    return number - 1


Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def _parser(start: Start, end: End | None = None, text: Text | None = None) -> expat.XMLParserType:
    """Return a parser that hears local names and refuses document types, and so entities."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise XmlError("its XML has a document type, which a workbook never has")

    def started(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(":")[2], attributes)

    def ended(name: str) -> None:
        if end is not None:
            end(name.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    return parser


def _feed(parser: expat.XMLParserType, data: bytes, *, is_last: bool) -> None:
    try:
        parser.Parse(data, is_last)
    except expat.ExpatError as error:
        raise XmlError(f"its XML is damaged: {error}") from None


def _parse(
    archive: zipfile.ZipFile,
    member: str,
    start: Start,
    end: End | None = None,
    text: Text | None = None,
) -> None:
    parser = _parser(start, end, text)
    with archive.open(member) as file:
        while data := file.read(FEED_BYTES):
            _feed(parser, data, is_last=False)
    _feed(parser, b"", is_last=True)


def _relations(archive: zipfile.ZipFile, member: str) -> dict[str, tuple[str, str, str]]:
    """Return kind, target and mode of what a member refers to, by id."""
    folder, _, name = member.rpartition("/")
    found: dict[str, tuple[str, str, str]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, attributes.get("Target", ""), "")

    _parse(archive, f"{folder}/_rels/{name}.rels".lstrip("/"), start)
    return found


def _main_member(archive: zipfile.ZipFile) -> str:
    for kind, target, _ in _relations(archive, "").values():
        if kind == "officeDocument":
            return target.lstrip("/")
    raise XmlError("it is no workbook")


def _at(folder: str, target: str) -> str:
    """Return a member by its name relative to a folder, or from the root."""
    if target.startswith("/"):
        return target[1:]
    parts = folder.split("/") if folder else []
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


class _Book:
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.is_1904 = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            is_hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((unescaped(attributes.get("name", "")), relation, is_hidden))
        elif tag == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0") in ("1", "true")


class _Strings:
    """Shared texts: runs are joined, readings of characters (`rPh`) left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._runs: list[str] = []
        self._is_text = False
        self._is_reading = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag == "t":
            self._is_text = not self._is_reading
        elif tag == "rPh":
            self._is_reading = True

    def end(self, tag: str) -> None:
        if tag == "t":
            self._is_text = False
        elif tag == "rPh":
            self._is_reading = False
        elif tag == "si":
            self.found.append(unescaped("".join(self._runs)))
            self._runs = []

    def text(self, data: str) -> None:
        if self._is_text:
            self._runs.append(data)


class _Styles:
    def __init__(self) -> None:
        self._codes: dict[int, str] = {}
        self._used: list[int] = []
        self._is_cell_format = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            self._codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._is_cell_format = tag == "cellXfs"
        elif tag == "xf" and self._is_cell_format:
            self._used.append(int(attributes.get("numFmtId", 0)))

    def kinds(self) -> list[str]:
        return [self._kind(number) for number in self._used]

    def _kind(self, number: int) -> str:
        if number in self._codes:
            return kind_of_format(self._codes[number])
        return "date" if number in _FIXED_DATES else "time" if number in _FIXED_TIMES else "number"


def kind_of_format(code: str) -> str:
    """Return what a number format shows: a `number`, a `date` with or without time, or a `time`."""
    letters = _NO_LETTERS.sub("", code.partition(";")[0]).lower()
    if letters.strip() in ("general", "@"):
        return "number"
    if set(letters) & set("yd") or re.search(r"m{3,}", letters):
        return "date"
    if set(letters) & set("hs"):
        return "time"
    return "date" if re.search(r"m", letters) else "number"


def unescaped(text: str) -> str:
    """Return text in which characters that XML cannot hold stand as `_x000D_`."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _merged_ranges(archive: zipfile.ZipFile, member: str) -> list[tuple[int, int, int, int]]:
    """Return first and last row, first and last column of merged cells; they follow the rows."""
    found = []
    rest = b""
    with archive.open(member) as file:
        while data := file.read(1 << 20):
            window = rest + data
            found += _MERGED.findall(window)
            rest = window[window.rfind(b"<") :] if b"<" in window else window
    ranges = []
    for reference in found:
        first, _, last = reference.decode().partition(":")
        top, left = _place(first)
        bottom, right = _place(last or first)
        ranges.append((top, bottom, left, right))
    return sorted(set(ranges))


def _place(reference: str) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise XmlError(f"{reference!r} is no cell")
    return int(found[2]), _column_number(found[1])


class _Rows:
    """Hears the XML of a sheet and keeps the rows that are complete."""

    def __init__(self, book: Workbook, merged: list[tuple[int, int, int, int]]) -> None:
        self._book = book
        self._merged = merged
        self._filling: list[tuple[int, int, int, str]] = []
        self._ready: list[Row] = []
        self._row = Row(0)
        self._column = -1
        self._kind = ""
        self._style = 0
        self._value: list[str] = []
        self._takes_text = False
        self._is_reading = False
        self._has_value = False
        self._has_formula = False

    def taken(self) -> list[Row]:
        """Return the rows that were completed since."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._start_cell(attributes)
        elif tag in ("v", "t"):
            self._takes_text = not self._is_reading
            self._has_value = self._has_value or self._takes_text
        elif tag == "f":
            self._has_formula = True
        elif tag == "rPh":
            self._is_reading = True
        elif tag == "row":
            number = int(attributes.get("r", self._row.number + 1))
            if not self._row.number < number <= MAX_ROW:
                raise XmlError(f"row {number} follows row {self._row.number}")
            self._row = Row(number)
            self._column = -1

    def text(self, data: str) -> None:
        if self._takes_text:
            self._value.append(data)

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self._takes_text = False
        elif tag == "c":
            self._end_cell()
        elif tag == "rPh":
            self._is_reading = False
        elif tag == "row":
            if self._merged or self._filling:
                self._fill()
            if self._row.cells or self._row.odd:
                self._ready.append(self._row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            self._column = _column_number(reference.rstrip("0123456789"))
        self._kind = attributes.get("t", "n")
        self._style = int(attributes.get("s", 0))
        self._value = []
        self._has_value = self._has_formula = False

    def _end_cell(self) -> None:
        written = "".join(self._value)
        is_text = self._kind in ("str", "inlineStr")  # of which an empty one is a value
        if self._has_formula and not (self._has_value and (written.strip() or is_text)):
            self._row.odd[self._column] = NO_VALUE
            return
        if not self._has_value:
            return
        text = self._cell(written)
        if text:
            self._row.cells[self._column] = text

    def _cell(self, raw: str) -> str:
        kind = self._kind
        if kind == "s":
            try:
                return self._book.shared[int(raw)]
            except (ValueError, IndexError):
                raise XmlError(f"there is no shared text {raw!r}") from None
        if kind in ("inlineStr", "str"):
            return unescaped(raw)
        if kind == "b":
            return "true" if raw.strip() == "1" else "false"
        if kind == "e":
            self._row.odd[self._column] = CELL_ERROR
            return raw
        if kind == "d":
            return raw
        formats = self._book.formats
        shown = formats[self._style] if self._style < len(formats) else "number"
        return number_text(raw.strip(), shown, is_1904=self._book.is_1904)

    def _fill(self) -> None:
        """Give cells of merged ranges the value of the first one."""
        number, cells = self._row.number, self._row.cells
        self._filling = [item for item in self._filling if item[0] >= number]
        while self._merged and self._merged[0][0] <= number:
            top, bottom, left, right = self._merged.pop(0)
            if top == number and left in cells:
                self._filling.append((bottom, left, right, cells[left]))
        for _, left, right, value in self._filling:
            for column in range(left, right + 1):
                cells.setdefault(column, value)


def number_text(raw: str, shown: str, *, is_1904: bool) -> str:
    """Return a number of a cell as text: as many digits as Excel keeps; dates and times as ISO.

    Raises:
        XmlError: it is no number.
    """
    if not raw:
        return ""
    if shown == "number" and raw.lstrip("-").isdecimal():
        return raw
    try:
        value = float(raw)
    except ValueError:
        raise XmlError(f"{raw!r} stands where a number should") from None
    if shown != "number" and (text := _time_text(value, shown, is_1904=is_1904)):
        return text
    return format(Decimal(format(value, ".15g")), "f")


def _time_text(value: float, shown: str, *, is_1904: bool) -> str | None:
    """Return a date or time as ISO text, or None for a number that is neither.

    Excel takes 1900 for a leap year: its day 60 never was, and those before it are a day off.
    """
    millis = round(value * 86_400_000)
    if shown == "time" and not 0 <= millis < 86_400_000:
        return None
    if shown == "time":
        moment = datetime(2000, 1, 1) + timedelta(milliseconds=millis)  # noqa: DTZ001 - no date
        return moment.time().isoformat(timespec="auto")
    if not 0 <= value < LAST_SERIAL or (not is_1904 and 60 <= value < 61):
        return None
    start = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30 + (value < 60))  # noqa: DTZ001
    try:
        moment = start + timedelta(milliseconds=millis)
    except OverflowError:
        return None
    if millis % 86_400_000 == 0:
        return moment.date().isoformat()
    return moment.isoformat()
