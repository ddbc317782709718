"""The rows of a CASE package: one for every entry, with what the standard names and what helps.

`entry` says what it is: `document`, `item`, `link`, `definition` or `rubric`. Beside what the
standard names, the reader makes:

- `code`: the printed code of an item where it is unique in the package and can name it, else its
  identifier;
  `origin` and `destination` are the codes at the ends of a link, and `destination_in` says where
  the link leads: to an `item`, the `document`, or `elsewhere`;
- `title`: the abbreviated statement, or the beginning of the full one, else the alternative label
  or the code;
- `CFItemType`: the type of an item, or the title of the type that it links to;
- `place_in_list`: the number of the first link by which an item lies under another;
- `framework_id`, `framework_title` and `framework_version`: what the document says of itself;
- `notes`: what is worth knowing, such as `orphan` or `code_not_unique`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import polars as pl

from pipelines.sources.readers.base import LINE, ROW_PROBLEMS, SOURCE_ROW, Chunk
from pipelines.sources.readers.strict_json import Number, as_text
from pipelines.sources.standards import case_check
from pipelines.sources.standards.case import LARGEST
from pipelines.sources.standards.case_check import DESTINATION, ORIGIN, Entry, Framework

TITLE_LENGTH = 200
KEPT = (
    "identifier",
    "uri",
    "lastChangeDateTime",
    "fullStatement",
    "abbreviatedStatement",
    "humanCodingScheme",
    "listEnumeration",
    "CFItemType",
    "language",
    "statusStartDate",
    "statusEndDate",
    "adoptionStatus",
    "associationType",
    "sequenceNumber",
)
IN_ONE_LINE = ("CFItemType", "framework_version")
MADE = (
    "entry",
    "code",
    "title",
    "place_in_list",
    "origin",
    "destination",
    "destination_in",
    "framework_id",
    "framework_title",
    "framework_version",
    "notes",
)
COLUMNS = (*MADE, *KEPT)


def chunks(framework: Framework) -> Iterator[Chunk]:
    """Yield the rows of a framework; entries that are refused could not be read."""
    cells = _Cells(framework)
    schema = {SOURCE_ROW: pl.Int64(), **dict.fromkeys(COLUMNS, pl.String())}
    entries = list(framework.entries())
    table = pl.DataFrame([cells.of(entry) for entry in entries], schema=schema)
    refused = [entry for entry in entries if entry.errors]
    lines = pl.DataFrame(
        {
            SOURCE_ROW: [entry.row for entry in refused],
            LINE: [as_text(entry.content) or "" for entry in refused],
        },
        schema={SOURCE_ROW: pl.Int64(), LINE: pl.String()},
    )
    problems = pl.DataFrame(
        [
            (entry.row, finding.code, f"{finding.message}; {finding.suggestion}")
            for entry in refused
            for finding in entry.errors[:1]
        ],
        schema=ROW_PROBLEMS,
        orient="row",
    )
    rows = table.join(lines, on=SOURCE_ROW, how="anti", maintain_order="left")
    originals = pl.concat([rows, lines], how="diagonal").sort(SOURCE_ROW)
    yield Chunk(rows, originals, problems)


class _Cells:
    """The cells of the rows of one framework."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        document = framework.document
        stamp = document.text("lastChangeDateTime") or ""
        self.shared = {
            "framework_id": document.text("identifier"),
            "framework_title": document.text("title"),
            "framework_version": document.text("version") or stamp[:10] or None,
        }
        self.codes: dict[str, str | None] = {}
        for entry in framework.items:
            code = case_check.printed_code(entry)
            identifier = entry.text("identifier")
            if identifier is not None:
                is_usable = code is not None and framework.is_name(code)
                self.codes[identifier.lower()] = code if is_usable else identifier
        self.places: dict[str, str] = {}
        for child, _, link in framework.parents():
            number = link.content.get("sequenceNumber")
            if isinstance(number, Number) and (place := _whole(number)) is not None:
                self.places.setdefault(child, str(place))

    def of(self, entry: Entry) -> dict[str, int | str | None]:
        """Return the row of an entry."""
        cells: dict[str, int | str | None] = {
            SOURCE_ROW: entry.row,
            "entry": self._kind(entry),
            "notes": " ".join(dict.fromkeys(note.code for note in entry.notes)) or None,
            **self.shared,
        }
        content = entry.content if isinstance(entry.content, dict) else {}
        cells |= {name: as_text(content.get(name)) for name in KEPT}
        for name in IN_ONE_LINE:
            cells[name] = _in_one_line(cells[name])
        if cells["entry"] == "item":
            identifier = (entry.text("identifier") or "").lower()
            cells["code"] = self.codes.get(identifier)
            cells["title"] = _title(entry) or self.codes.get(identifier)
            cells["CFItemType"] = cells["CFItemType"] or _in_one_line(
                entry.text("CFItemTypeURI", "title")
            )
            cells["place_in_list"] = self.places.get(identifier)
        if cells["entry"] == "link":
            cells |= self._ends(entry)
        return cells

    def _kind(self, entry: Entry) -> str:
        top = entry.location[0] if entry.location else case_check.DOCUMENT
        return {
            case_check.DOCUMENT: "document",
            case_check.ITEMS: "item",
            case_check.ASSOCIATIONS: "link",
            case_check.DEFINITIONS: "definition",
        }.get(str(top), "rubric")

    def _ends(self, entry: Entry) -> dict[str, str | None]:
        destination = self.framework.node(entry, DESTINATION)
        where = "item" if destination in self.codes else "elsewhere"
        return {
            "origin": self._name(entry, ORIGIN),
            "destination": self._name(entry, DESTINATION),
            "destination_in": "document"
            if destination == self.framework.document.identifier
            else where,
        }

    def _name(self, entry: Entry, end: str) -> str | None:
        """Return the code of what stands at an end of a link, or what the link says of it."""
        stated = (entry.text(end, "identifier") or "").strip() or entry.text(end, "uri")
        return self.codes.get(self.framework.node(entry, end) or "", stated)


def _whole(number: Number) -> int | None:
    """Return a place in a list, however it is written; there is none below zero."""
    try:
        place = Decimal(number)
    except InvalidOperation:
        return None
    return int(place) if 0 <= place <= LARGEST and place == place.to_integral_value() else None


def _in_one_line(value: int | str | None) -> str | None:
    return None if value is None else " ".join(str(value).split()) or None


def _title(entry: Entry) -> str | None:
    names = ("abbreviatedStatement", "fullStatement", "alternativeLabel")
    full = next(filter(None, (_in_one_line(entry.text(name)) for name in names)), "")
    return full if len(full) <= TITLE_LENGTH else f"{full[: TITLE_LENGTH - 1]}…"
