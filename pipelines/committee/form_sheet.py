"""The decision form as a file: XLSX with drop-downs, or CSV; written for people, and read back.

Every text is written as text, so that no spreadsheet program takes it for a formula, and is read
back as it was.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipelines.committee import form as layout
from pipelines.committee.form import Form, FormError
from pipelines.intake.cells import inert, plain, storable, stored

COLUMNS = (layout.SEAL, *layout.SEALED, *layout.SHOWN, *layout.ASKED)
SHEET, LISTS, HELP = "Decisions", "Lists", "How to"
N_HIDDEN = 1 + len(layout.SEALED)
WIDE = {layout.RATIONALE: 48, layout.DISSENT: 32, "Reasons to talk": 40, "Last decision": 32}
SEPARATOR = ";"
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  a workbook knows no time zone

HOW_TO = (
    "One row a learner. Fill in the coloured cells; leave a row empty where nothing was decided.",
    f"Several people in one cell are separated by '{SEPARATOR}'. An id alone is enough.",
    "The first row says what is the same for all: who was present, who decided, and when. A row "
    "that says it itself overrules it.",
    "A learner on the consent list needs, in 'Decided by' of their own row, the name of the member "
    "who confirms it. A member who wants to talk about them stands in 'Pulled by'.",
    "Where evidence arrived after the pack was frozen, read the addendum and write yes into "
    "'Addendum seen', or no where it was not.",
    "A correction names the record that it corrects in 'Corrects record'. Nothing is overwritten.",
    "Do not change, sort or copy the hidden columns apart from their rows: a row whose seal is "
    "broken is refused.",
    "Then: tessera decision take FILE --by 'A. Muster'. The file holds personal data: delete it "
    "when you are done.",
)


@dataclass(frozen=True)
class FilledRow:
    """One row of a form as it came back."""

    number: int
    """In the file, for people."""
    cells: dict[str, str]


def write(form: Form, path: Path) -> None:
    """Write a form as CSV or XLSX, by the name of the file; readable by its owner only.

    Raises:
        FormError: the name ends in neither, or the file is there already.
    """
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".xlsx"}:
        raise FormError(f"{path.name}: name the file .xlsx or .csv")
    data = as_csv(form) if suffix == ".csv" else as_workbook(form)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FormError(f"{path} is there already: name another file, or move it away") from None
    except OSError as error:
        raise FormError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def read(path: Path) -> list[FilledRow]:
    """Return the rows of a form that came back.

    Raises:
        FormError: the file cannot be read, or is no decision form.
    """
    try:
        rows = list(_read_csv(path) if path.suffix.lower() == ".csv" else _read_workbook(path))
    except OSError as error:
        raise FormError(f"{path} cannot be opened: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormError(f"{path} cannot be read: {error}. Save it as UTF-8 CSV") from None
    if not rows:
        raise FormError(f"{path} holds no rows: make a form with `tessera decision form`")
    return rows


def as_csv(form: Form) -> bytes:
    """Return a form as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in form.rows:
        writer.writerow([inert(storable(row[name])) for name in COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def as_workbook(form: Form) -> bytes:
    """Return a form as a workbook with drop-downs."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, {"in_memory": True} | options) as book:
        book.set_properties({"title": form.title, "created": _EPOCH})
        page = book.add_worksheet(SHEET)
        _fill(book, page, form)
        ranges = _lists(book.add_worksheet(LISTS), book.add_format({"bold": True}), form)
        _validate(page, ranges, len(form.rows))
        helping = book.add_worksheet(HELP)
        helping.set_column(0, 0, 110)
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for number, line in enumerate((form.title, *HOW_TO)):
            helping.write_string(number, 0, line, wrapped)
    return out.getvalue()


def _fill(book: xlsxwriter.Workbook, page: Worksheet, form: Form) -> None:
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    shown = book.add_format({"valign": "top", "text_wrap": True})
    asked = book.add_format(
        {"valign": "top", "text_wrap": True, "locked": False, "bg_color": "#FBF6E4", "border": 1}
        | {"border_color": "#D9D2B8", "num_format": "@"}
    )
    shut = book.add_format({"valign": "top", "bg_color": "#EEEEEE"})
    for place, name in enumerate(COLUMNS):
        hidden = {"hidden": True} if place < N_HIDDEN else {}
        page.set_column(place, place, WIDE.get(name, 18), None, hidden)
        page.write_string(0, place, name, heading)
    for number, row in enumerate(form.rows, start=1):
        for place, name in enumerate(COLUMNS):
            page.write(number, place, *_cell(row, name, shown, asked, shut))
    page.freeze_panes(1, N_HIDDEN + 1)
    page.autofilter(0, 0, len(form.rows), len(COLUMNS) - 1)
    allowed = ("autofilter", "format_cells", "format_columns", "format_rows")
    page.protect("", dict.fromkeys(allowed, True))


def _cell(
    row: dict[str, str], name: str, shown: Format, asked: Format, shut: Format
) -> tuple[str, Format]:
    if name not in layout.ASKED:
        return row[name], shown
    is_for_all = row[layout.LEARNER] == layout.ALL
    return row[name], shut if is_for_all and name not in layout.FOR_ALL else asked


def _lists(page: Worksheet, heading: Format, form: Form) -> dict[str, str]:
    """Write what may be chosen, and return where each list stands."""
    lists: dict[str, Sequence[str]] = {
        "Outcome": form.outcomes,
        "Means": form.outcome_titles,
        "Member": [member.label for member in form.members],
        "Role": [member.role for member in form.members],
        "Votes": [layout.YES if member.is_voting else layout.NO for member in form.members],
        "Owner": layout.OWNERS,
        "Appeal": layout.APPEALS,
        "Yes or no": (layout.YES, layout.NO),
    }
    ranges = {}
    for place, (name, values) in enumerate(lists.items()):
        page.set_column(place, place, 30)
        page.write_string(0, place, name, heading)
        for number, value in enumerate(values, start=1):
            page.write_string(number, place, value)
        letter = chr(ord("A") + place)
        if values:
            ranges[name] = f"={LISTS}!${letter}$2:${letter}${len(values) + 1}"
    return ranges


def _validate(page: Worksheet, ranges: dict[str, str], n_rows: int) -> None:
    """Offer lists in the cells of people's answers; where several people fit, any text passes."""
    strict = {layout.OUTCOME: "Outcome", layout.APPEAL: "Appeal"}
    strict |= {layout.ADDENDUM_SEEN: "Yes or no", layout.PULLED_BY: "Member"}
    loose = dict.fromkeys(set(layout.PEOPLE) - {layout.PULLED_BY}, "Member")
    loose |= {layout.action_columns(n)[1]: "Owner" for n in range(1, layout.N_ACTIONS + 1)}
    for name, listed in sorted((strict | loose).items()):
        if listed not in ranges:
            continue
        place = COLUMNS.index(name)
        page.data_validation(
            1,
            place,
            n_rows,
            place,
            {
                "validate": "list",
                "source": ranges[listed],
                "show_error": name in strict,
                "error_title": name,
                "error_message": "Choose one of the list, or leave the cell empty.",
            },
        )


def _read_csv(path: Path) -> Iterator[FilledRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=sample.count), strict=True)
        header = [plain(name) for name in next(reader, [])]
        _refuse_strange(header, path.name)
        for cells in reader:
            texts = [stored(plain(cell)).strip() for cell in cells]
            if any(texts):
                yield FilledRow(reader.line_num, _named(header, texts))


def _read_workbook(path: Path) -> Iterator[FilledRow]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise FormError(f"{path} is no workbook: {error}. Save it as .xlsx or .csv") from None
    if SHEET not in book.sheetnames:
        raise FormError(
            f"{path} has no sheet {SHEET!r}, so it is no decision form: make one with "
            "`tessera decision form`"
        )
    rows = book[SHEET].iter_rows()
    header = [_text(cell.value) for cell in next(rows, ())]
    _refuse_strange(header, path.name)
    for number, cells in enumerate(rows, start=2):
        texts = [_text(cell.value) for cell in cells]
        if any(texts):
            yield FilledRow(number, _named(header, texts))


def _text(value: Any) -> str:
    """Return a cell as text; numbers and days that a spreadsheet program made of one included."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return layout.YES if value else layout.NO
    if isinstance(value, datetime):
        is_day = value.hour == value.minute == value.second == 0
        return value.date().isoformat() if is_day else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return stored(str(value)).strip()


def _named(header: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | dict(zip(header, texts, strict=False))


def _refuse_strange(header: Sequence[str], where: str) -> None:
    lost = [name for name in COLUMNS if name not in header]
    if lost:
        raise FormError(
            f"{where} lacks the columns {', '.join(lost[:5])}{', …' if len(lost) > 5 else ''}: it "
            "is no decision form, or columns were deleted. Make the form again with "
            "`tessera decision form`"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FormError(f"{where} has columns twice: {', '.join(twice)}")
