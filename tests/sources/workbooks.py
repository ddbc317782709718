"""Workbooks written cell by cell, as spreadsheet programs write them and as they should not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pipelines.sources.readers.workbook import column_name

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

DAY, MOMENT, TIME, PERCENT = 1, 2, 3, 4
"""Cell styles of the workbooks made here."""
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164"
formatCode="[$-407]dd\\.mm\\.yyyy hh:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/>
<xf numFmtId="9"/></cellXfs></styleSheet>"""


@dataclass(frozen=True)
class Xml:
    """A cell as XML: what stands beside its reference, and within it."""

    attributes: str
    content: str


Cell = str | float | bool | Xml | None


def shown(number: float, style: int) -> Xml:
    """Return a number with a style, such as a date."""
    return Xml(f's="{style}"', f"<v>{number}</v>")


def text_for_xml(text: str) -> str:
    """Return text as spreadsheet programs write it: what XML cannot hold stands as `_xHHHH_`."""
    marked = text.replace("_x", "_x005F_x")
    return escape(
        "".join(
            f"_x{ord(c):04X}_" if (c < " " and c not in "\t\n") or c in "\ufffe\uffff" else c
            for c in marked
        )
    )


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    is_1904: bool = False,
    merged: Sequence[str] = (),
    hidden: Sequence[str] = (),
    first_row: int = 1,
) -> bytes:
    """Return the bytes of a workbook; texts are shared, rows begin at `first_row`."""
    shared: dict[str, int] = {}
    members = {
        f"xl/worksheets/sheet{n}.xml": _sheet(rows, shared, merged, first_row)
        for n, rows in enumerate(sheets.values(), start=1)
    }
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if name in hidden else ''}/>"
        for n, name in enumerate(sheets, start=1)
    )
    members["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="{int(is_1904)}"/>'
        f"<sheets>{listed}</sheets></workbook>"
    )
    members["xl/styles.xml"] = STYLES
    members["xl/sharedStrings.xml"] = (
        f'<sst xmlns="{MAIN}">'
        + "".join(f'<si><t xml:space="preserve">{text_for_xml(text)}</t></si>' for text in shared)
        + "</sst>"
    )
    targets = [
        (f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)
    ]
    targets += [("s", "styles", "styles.xml"), ("t", "sharedStrings", "/xl/sharedStrings.xml")]
    members["xl/_rels/workbook.xml.rels"] = _relations(targets)
    members["_rels/.rels"] = _relations([("rId1", "officeDocument", "xl/workbook.xml")])
    members["[Content_Types].xml"] = f'<Types xmlns="{PACKAGE}/content-types"/>'
    return zipped({name: f'<?xml version="1.0"?>{xml}' for name, xml in members.items()})


def zipped(members: Mapping[str, str]) -> bytes:
    """Return an archive of texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def changed(data: bytes, member: str, old: str, new: str) -> bytes:
    """Return a workbook with a text of one member replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    assert old in members[member]
    return zipped(members | {member: members[member].replace(old, new)})


def _relations(targets: Sequence[tuple[str, str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for name, kind, target in targets
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{found}</Relationships>'


def _sheet(
    rows: Sequence[Sequence[Cell]], shared: dict[str, int], merged: Sequence[str], first_row: int
) -> str:
    made = []
    for number, row in enumerate(rows, start=first_row):
        cells = "".join(
            _cell(cell, f"{column_name(n)}{number}", shared)
            for n, cell in enumerate(row)
            if cell is not None
        )
        made.append(f'<row r="{number}">{cells}</row>')
    ranges = "".join(f'<mergeCell ref="{reference}"/>' for reference in merged)
    return (
        f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(made)}</sheetData>'
        f"<mergeCells>{ranges}</mergeCells></worksheet>"
    )


def _cell(cell: Cell, reference: str, shared: dict[str, int]) -> str:
    if isinstance(cell, Xml):
        return f'<c r="{reference}" {cell.attributes}>{cell.content}</c>'
    if isinstance(cell, bool):
        return f'<c r="{reference}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{reference}" t="s"><v>{shared.setdefault(cell, len(shared))}</v></c>'
    return f'<c r="{reference}"><v>{cell!r}</v></c>'
