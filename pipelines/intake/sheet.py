"""Refused records as a spreadsheet to correct: written by `export`, read by replay.

Beside every field of a record stands a column for its correction. Only these columns are read
again; the others show what was refused, and say which record a row is about.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.intake.cells import inert, plain, shortened, storable, stored
from pipelines.intake.quarantine import RefusedRecord

CORRECTION = "correction: "
RELEASE = "release"
"""The correction that lets a record in as it is, where a text was held by mistake."""
DELIVERED = "delivered: "
EMPTY = "(empty)"
"""Written as a correction, it takes the field out."""

HIDDEN = ("delivery_id", "record_key", "fingerprint")
"""They say which record a row is about, and that it is still the one that was exported."""
SHOWN = (
    "source",
    "file",
    "source_row",
    "source_cell",
    "where",
    "kind",
    "owner",
    "code",
    "field",
    "message",
    "suggestion",
)
MOST_DELIVERED = 60
"""Columns: where the delivered rows have more, they are shown as one text."""
HELP = "how to"


class SheetError(Exception):
    """The file is no sheet that can be replayed; the message says why and what to do."""


@dataclass(frozen=True)
class Row:
    """One row of a sheet that somebody worked on."""

    where: str
    """Sheet and row, for people."""
    cells: dict[str, str]

    @property
    def corrections(self) -> dict[str, str]:
        """Return what was written into the columns for corrections, by field."""
        return {
            name.removeprefix(CORRECTION): text
            for name, text in self.cells.items()
            if name.startswith(CORRECTION) and text.strip()
        }


def cells_of(record: RefusedRecord) -> dict[str, str]:
    """Return everything that a sheet may show of a record, by the name of the column."""
    first = record.problems[0]
    told: dict[str, Any] = {
        "delivery_id": record.delivery_id,
        "record_key": record.record_key,
        "fingerprint": record.fingerprint,
        "source": record.source,
        "file": record.file,
        "source_row": record.source_row,
        "source_cell": record.source_cell,
        "where": record.where,
        "kind": record.kind,
        "owner": record.owner,
        "code": ", ".join(dict.fromkeys(problem["code"] for problem in record.problems)),
        "field": first["field"],
        "message": "; ".join(problem["message"] for problem in record.problems),
        "suggestion": first["suggestion"],
        DELIVERED.strip(): json.dumps(record.original, ensure_ascii=False)
        if record.original
        else None,
    }
    told |= record.record or {}
    told |= {f"{DELIVERED}{name}": value for name, value in (record.original or {}).items()}
    return {name: shortened(_text(value)) for name, value in told.items()}


def write(records: Iterable[RefusedRecord], target: Path) -> int:
    """Write records as CSV or XLSX, by the name of the file; readable by its owner only.

    Raises:
        SheetError: the name ends in neither.
    """
    chosen = list(records)
    suffix = target.suffix.lower()
    if suffix not in {".csv", ".xlsx"}:
        raise SheetError(f"{target.name}: name the file .xlsx or .csv")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.close(descriptor)
    target.chmod(0o600)
    if suffix == ".csv":
        _write_csv(chosen, target)
    else:
        _write_workbook(chosen, target)
    return len(chosen)


def read(path: Path) -> list[Row]:
    """Return the rows of a sheet.

    Raises:
        SheetError: the file cannot be read, or is no sheet of refused records.
    """
    try:
        rows = list(_read_csv(path) if path.suffix.lower() == ".csv" else _read_workbook(path))
    except OSError as error:
        raise SheetError(f"{path} cannot be opened: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SheetError(f"{path} cannot be read: {error}. Save it as UTF-8 CSV") from None
    if not rows:
        raise SheetError(
            f"{path} holds no refused records: make the sheet with `tessera quarantine export`"
        )
    return rows


def _header(records: Sequence[RefusedRecord]) -> list[str]:
    """Return the columns of a sheet: each field that matters, and beside it its correction."""
    fields: list[str] = []
    for kind in dict.fromkeys(record.kind for record in records):
        of_kind = [record for record in records if record.kind == kind]
        used = {name for record in of_kind for name in record.record or ()}
        used |= {str(problem["field"]) for r in of_kind for problem in r.problems}
        fields += [
            column.name
            for column in columns(CONTRACTS[kind])
            if column.name in used or column.required
        ]
    delivered = dict.fromkeys(
        f"{DELIVERED}{name}" for record in records for name in record.original or ()
    )
    if len(delivered) > MOST_DELIVERED:
        delivered = {DELIVERED.strip(): None}
    paired = [name for field in dict.fromkeys(fields) for name in (field, CORRECTION + field)]
    if any(record.is_releasable for record in records):
        paired.append(CORRECTION + RELEASE)
    return [*HIDDEN, *SHOWN, *paired, *delivered]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_csv(records: list[RefusedRecord], target: Path) -> None:
    header = _header(records)
    with target.open("w", encoding="utf-8-sig", newline="", errors="surrogatepass") as file:
        writer = csv.writer(file)
        writer.writerow([inert(name) for name in header])
        for record in records:
            cells = cells_of(record)
            writer.writerow([inert(storable(cells.get(name, ""))) for name in header])


def _read_csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.readline()
        file.seek(0)
        delimiter = max(",;\t", key=sample.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header = [plain(name) for name in next(reader, [])]
        _refuse_strange(header, path.name)
        for cells in reader:
            texts = [stored(plain(cell)) for cell in cells]
            yield Row(f"row {reader.line_num}", dict(zip(header, texts, strict=False)))


def _write_workbook(records: list[RefusedRecord], target: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    _write_help(book, records)
    for kind in dict.fromkeys(record.kind for record in records):
        _write_kind(book, kind, [record for record in records if record.kind == kind])
    book.active = len(book.sheetnames) - 1 if records else 0
    book.save(target)


def _write_kind(book: Any, kind: str, records: list[RefusedRecord]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    header = _header(records)
    sheet = book.create_sheet(kind[:31])
    head, plain_fill = Font(bold=True), PatternFill("solid", start_color="FFF7E6B5")
    top, open_cell = Alignment(vertical="top", wrap_text=True), Protection(locked=False)
    for number, name in enumerate(header, 1):
        _put(sheet.cell(1, number), name).font = head
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].hidden = name in HIDDEN
        sheet.column_dimensions[letter].width = 44 if name in {"message", "suggestion"} else 20
        if name.startswith(CORRECTION):
            sheet.cell(1, number).fill = plain_fill
    for line, record in enumerate(records, 2):
        cells = cells_of(record)
        wrong = {str(problem["field"]) for problem in record.problems}
        for number, name in enumerate(header, 1):
            cell = _put(sheet.cell(line, number), cells.get(name, ""))
            cell.alignment = top
            if name.startswith(CORRECTION):
                cell.protection = open_cell
                cell.number_format = "@"
                if name.removeprefix(CORRECTION) in wrong:
                    cell.fill = plain_fill
    sheet.freeze_panes = sheet.cell(2, len(HIDDEN) + 1)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(records) + 1}"
    sheet.protection.sheet = True
    for allowed in ("autoFilter", "sort", "formatColumns", "formatRows"):
        setattr(sheet.protection, allowed, False)


def _write_help(book: Any, records: list[RefusedRecord]) -> None:
    sheet = book.create_sheet(HELP)
    sheet.column_dimensions["A"].width = 100
    told = [
        "Refused records to correct. This file holds personal data: delete it when you are done.",
        f"Write into the columns headed '{CORRECTION}…' and nowhere else; leave the others empty.",
        "Write as your source does: its labels and dates are understood. A day may always be "
        "written as YYYY-MM-DD.",
        f"Write {EMPTY} to take a field out.",
        f"Where a text was held by mistake, write yes into '{CORRECTION}{RELEASE}': it enters as "
        "it is, in your name.",
        "Then: tessera quarantine replay FILE --by 'A. Muster'",
        "",
        f"{len(records):,} records:",
    ]
    counted: dict[tuple[str, str, str], int] = {}
    for record in records:
        cause = (record.owner, record.source, record.problems[0]["code"])
        counted[cause] = counted.get(cause, 0) + 1
    told += [
        f"{n:,} with {code} in {source}, owner {owner}"
        for (owner, source, code), n in sorted(counted.items(), key=lambda item: -item[1])
    ]
    for line, text in enumerate(told, 1):
        _put(sheet.cell(line, 1), text)


def _put(cell: Any, text: str) -> Any:
    """Write a text as a text, whatever it looks like."""
    if text:
        cell.value = storable(text)
        cell.data_type = "s"
        cell.quotePrefix = text != inert(text)
    return cell


def _read_workbook(path: Path) -> Iterator[Row]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=False)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise SheetError(f"{path} is no workbook: {error}. Save it as .xlsx or .csv") from None
    for sheet in book.worksheets:
        rows = sheet.iter_rows()
        header = [_read_cell(cell) for cell in next(rows, ())]
        if "delivery_id" not in header:
            continue
        _refuse_strange(header, sheet.title)
        for number, cells in enumerate(rows, 2):
            texts = [_read_cell(cell) for cell in cells]
            if any(texts):
                named = dict(zip(header, texts, strict=False))
                yield Row(f"{sheet.title} row {number}", named)


def _read_cell(cell: Any) -> str:
    """Return a cell as text; numbers and days that a spreadsheet program made of one included."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        is_day = value.hour == value.minute == value.second == 0
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return stored(value) if isinstance(value, str) else str(value)


def _refuse_strange(header: list[str], where: str) -> None:
    lost = [name for name in (*HIDDEN, "kind", "source_row") if name not in header]
    if lost:
        raise SheetError(
            f"{where} lacks the columns {', '.join(lost)}, which say what a row is about: export "
            "the sheet again"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise SheetError(f"{where} has columns twice: {', '.join(twice)}")
