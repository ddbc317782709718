"""Texts in the cells of spreadsheets: inert, and read back as they were.

A spreadsheet program runs a cell that begins like a formula, and a workbook cannot hold control
characters. Both are written in a form that does neither, and `original` undoes it.
"""

from __future__ import annotations

import re

LONGEST = 32_000
"""Characters: a cell of a workbook holds no more than 32,767."""
CUT = " […]"

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "'")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def inert(cell: object) -> object:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS) else cell


def plain(cell: str) -> str:
    """Return a text as it was before `inert`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_STARTS) else cell


def storable(text: str) -> str:
    """Return a text that a workbook can hold; what it cannot is written as `_xHHHH_`."""
    text = _ESCAPED.sub(lambda found: f"_x005F_{found[0][1:]}", text)
    return _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def stored(text: str) -> str:
    """Return a text as it was before `storable`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def shortened(text: str) -> str:
    """Return a text that fits into a cell; a cut is visible."""
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT
