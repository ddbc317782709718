"""What the values of a column look like: numbers, days, times, labels, ids, prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipelines.sources.mapping.fields import BOOLEANS
from pipelines.sources.text import folded

Kind = Literal["blank", "boolean", "whole", "number", "day", "time", "label", "id", "prose"]

BLANKS = ("", "?", "-", "n/a", "na", "null", "none", "#n/a")
DAY_FORMATS = (
    "iso", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y", "%d/%m/%y",
    "%m/%d/%y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
CLOCKS = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", ", %H:%M")
ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s*([Zz]|[+-]\d{2}(:?\d{2})?)?)?$"
NUMBERS = (
    (None, None, r"^[+-]?\d+(\.\d+)?$"),
    (",", None, r"^[+-]?\d+(,\d+)?$"),
    (",", ".", r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$|^[+-]?\d{1,3}(,\d+)?$"),
    (".", ",", r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$|^[+-]?\d{1,3}(\.\d+)?$"),
)
MANY = 40
"""More different labels than this are no list of choices."""


@dataclass(frozen=True)
class Profile:
    """A column by its values."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    """The different values, in order of their first appearance; many are cut."""
    is_unique: bool
    blanks: tuple[str, ...] = ()
    """Markers that stand where nothing is given, beside the empty cell."""
    formats: tuple[str, ...] = ()
    """Formats of dates that fit all values; more than one where the values cannot tell."""
    decimal: str | None = None
    thousands: str | None = None


def profile(column: pl.Series) -> Profile:
    """Look at the values of a column of text."""
    texts = column.drop_nulls().str.strip_chars()
    is_blank = texts.str.to_lowercase().is_in(list(BLANKS))
    given = texts.filter(~is_blank)
    blanks = tuple(sorted(set(texts.filter(is_blank).unique()) - {""}))
    distinct = given.unique(maintain_order=True)
    labels = tuple(distinct.head(MANY + 1).to_list())
    is_unique = len(given) == column.len() and len(distinct) == len(given)
    if not len(given):
        return Profile(column.name, "blank", (), is_unique=False, blanks=blanks)
    for decimal, thousands, pattern in NUMBERS:
        if given.str.contains(pattern).all():
            return _of_numbers(column.name, given, labels, is_unique, blanks, decimal, thousands)
    formats = _formats(distinct)
    if formats:
        has_clock = any("H" in f or "I" in f for f in formats) or (
            formats[0] == "iso" and bool(given.str.contains(":").any())
        )
        kind: Kind = "time" if has_clock else "day"
        return Profile(column.name, kind, labels, is_unique, blanks, formats)
    return Profile(column.name, _of_words(given, distinct), labels, is_unique, blanks)


def _of_numbers(
    name: str,
    given: pl.Series,
    labels: tuple[str, ...],
    is_unique: bool,
    blanks: tuple[str, ...],
    decimal: str | None,
    thousands: str | None,
) -> Profile:
    if formats := _numeric_formats(given):
        kind: Kind = "day" if formats == ("%Y%m%d",) else "time"
        return Profile(name, kind, labels, is_unique, blanks, formats)
    is_whole = bool(given.str.contains(r"^[+-]?\d+$").all())
    is_yes_or_no = set(labels) == {"0", "1"}
    return Profile(
        name,
        "boolean" if is_yes_or_no else "whole" if is_whole else "number",
        labels,
        is_unique,
        blanks,
        decimal=None if is_whole else decimal,
        thousands=thousands,
    )


def _numeric_formats(given: pl.Series) -> tuple[str, ...]:
    if given.str.contains(r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$").all():
        return ("%Y%m%d",)
    if given.str.contains(r"^1[0-9]{9}(\.\d+)?$").all():
        return ("epoch_seconds",)
    if given.str.contains(r"^1[0-9]{12}$").all():
        return ("epoch_milliseconds",)
    return ()


def _formats(distinct: pl.Series) -> tuple[str, ...]:
    if distinct.str.contains(ISO).all():
        return ("iso",)
    if not distinct.str.contains(r"\d").all() or distinct.str.len_chars().max() > 32:  # type: ignore[operator]
        return ()
    shapes = [day + clock for day in DAY_FORMATS[1:] for clock in ("", *CLOCKS)]
    return tuple(shape for shape in shapes if _fits(distinct, shape))


def _fits(distinct: pl.Series, shape: str) -> bool:
    has_clock = "%H" in shape or "%I" in shape
    if has_clock != bool(distinct.str.contains(":").all()):
        return False
    if ("%Y" in shape) != bool(distinct.str.contains(r"\d{4}").all()):
        return False
    read = (
        distinct.str.to_datetime(shape, strict=False)
        if has_clock
        else distinct.str.to_date(shape, strict=False)
    )
    return read.null_count() == 0


def _of_words(given: pl.Series, distinct: pl.Series) -> Kind:
    if len(distinct) <= 6 and set(folded(distinct.to_list())) <= BOOLEANS.keys():
        return "boolean"
    mean_length = float(given.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    has_spaces = float(given.str.contains(r"\S\s+\S\s").mean() or 0)  # type: ignore[arg-type]
    if mean_length > 20 and has_spaces > 0.5 and len(distinct) > max(3, 0.3 * len(given)):
        return "prose"
    if len(distinct) <= MANY and (len(distinct) <= 0.5 * len(given) or len(distinct) <= 6):
        return "label"
    return "prose" if mean_length > 40 else "id"
