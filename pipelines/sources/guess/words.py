"""How well a header fits a field, and a label a value: lists of words that are data."""

from __future__ import annotations

import csv
import re
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from pipelines.sources.text import fold_name

HERE = Path(__file__).parent
NEAR = 0.82


def _plain(text: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return fold_name(spaced).replace("_", " ").strip()


@cache
def header_words() -> dict[str, tuple[str, ...]]:
    """Return the headers that people write for each field."""
    with (HERE / "header_words.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["field"]: tuple(map(_plain, row["words"].split("|")))
            for row in csv.DictReader(file)
        }


@cache
def value_words() -> dict[str, dict[str, str]]:
    """Return the value that each label means, by field; `is_` is every field of yes and no."""
    found: dict[str, dict[str, str]] = {}
    with (HERE / "value_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words = found.setdefault(row["field"], {})
            words |= dict.fromkeys(map(_plain, row["words"].split("|")), row["value"])
    return found


def fit(header: str, field: str) -> float:
    """Return from 0 to 1 how well a header fits a field."""
    said = _plain(header.rpartition(".")[2] if "." in header else header)
    whole = _plain(header)
    names = (_plain(field), _plain(field).removesuffix(" id"), *header_words().get(field, ()))
    return (
        max((_near(said, name) for name in names), default=0.0)
        if said
        else 0.0 or (max(_near(whole, name) for name in names))
    )


def _near(said: str, name: str) -> float:
    if said == name:
        return 1.0
    inner, outer = set(name.split()), set(said.split())
    if inner <= outer and len(name) > 2:
        return 0.55 + 0.35 * len(inner) / len(outer)
    ratio = SequenceMatcher(None, said, name).ratio()
    return 0.8 * ratio if ratio >= NEAR else 0.0


def meant(field: str, label: str, known: dict[str, str]) -> str | None:
    """Return which of the known values a label means.

    Args:
        field: the field.
        label: as the source writes it.
        known: each value with its title.
    """
    said = _plain(label)
    by_word = value_words().get("is_" if field.startswith(("is_", "has_")) else field, {})
    for value, title in known.items():
        if said in (_plain(value), _plain(title)):
            return value
    if said in by_word and by_word[said] in known:
        return by_word[said]
    near = [
        (SequenceMatcher(None, said, _plain(name)).ratio(), value)
        for value, title in known.items()
        for name in (value, title)
    ]
    score, best = max(near, default=(0.0, ""))
    return best if score >= NEAR else None
