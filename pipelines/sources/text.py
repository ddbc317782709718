"""How texts are compared: labels, headers and file names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

import polars as pl


def fold(column: pl.Expr) -> pl.Expr:
    """Return labels as they are compared: no outer spaces, single inner ones, no case."""
    return column.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(" ")


def folded(texts: Iterable[str]) -> list[str]:
    """Return `fold` of each text."""
    column = pl.Series("text", list(texts), dtype=pl.String)
    if column.is_empty():
        return []
    return column.to_frame().select(fold(pl.col("text"))).to_series().to_list()


def fold_name(name: str) -> str:
    """Return a column name as it is compared with lists of names: letters and digits only."""
    plain = unicodedata.normalize("NFKC", name).lower()
    return re.sub(r"[\W_]+", "_", plain).strip("_")


def globs_overlap(one: str, other: str) -> bool:
    """Tell whether a file name exists that both patterns of `*` and `?` match."""

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(one) and j == len(other):
            return True
        if i < len(one) and one[i] == "*":
            return meet(i + 1, j) or (j < len(other) and meet(i, j + 1))
        if j < len(other) and other[j] == "*":
            return meet(i, j + 1) or (i < len(one) and meet(i + 1, j))
        if i == len(one) or j == len(other):
            return False
        return (one[i] == other[j] or "?" in (one[i], other[j])) and meet(i + 1, j + 1)

    return meet(0, 0)


TEMPLATE_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def parse_template(template: str) -> list[tuple[str, bool]]:
    """Split `"{Form}-{EPA}"` into parts: a text, and whether it names a column.

    Raises:
        ValueError: a brace has no partner.
    """
    parts: list[tuple[str, bool]] = []
    end = 0
    for match in TEMPLATE_PART.finditer(template):
        if match.start() > end:
            parts.append((template[end : match.start()], False))
        whole, name = match.group(0), match.group(1)
        if name:
            parts.append((name, True))
        elif whole in ("{{", "}}"):
            parts.append((whole[0], False))
        else:
            raise ValueError("a brace has no partner, or holds no column name")
        end = match.end()
    if end < len(template):
        parts.append((template[end:], False))
    return parts
