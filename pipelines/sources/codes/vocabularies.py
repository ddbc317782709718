"""Words of code lists that are known elsewhere: days, countries, checks of digits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from pipelines.sources.faults import known

PHONE = "phone"
"""The check of phone numbers; all others are modules of `stdnum`."""


def wrong_words(column: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the words in a column: a message and a remedy."""
    if column == "approved_at" and not _is_moment(text):
        yield f"{text!r} is no day or time", "Write it like 2026-02-01"
    if column == "check" and not is_check(text):
        yield f"there is no check {text!r}", known(checks(), text)
    if column == "countries":
        for country in sorted({*text.split()} - {*countries().values()}):
            yield f"{country!r} is no country of ISO 3166", "Write two capital letters, like AT"


def is_check(name: str) -> bool:
    """Tell whether there is a check of that name; its module is looked at and not imported."""
    path = _stdnum().joinpath(*name.split(".")).with_suffix(".py")
    return name == PHONE or (path.is_file() and _is_valid(path))


def checks() -> list[str]:
    """Return the name of every check."""
    root = _stdnum()
    modules = (path.relative_to(root).with_suffix("") for path in root.rglob("*.py"))
    names = (".".join(module.parts) for module in modules)
    return [PHONE, *filter(is_check, names)]


@cache
def countries() -> dict[str, str]:
    """Return the country of every time zone, as ISO 3166 writes it."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@cache
def _stdnum() -> Path:
    spec = find_spec("stdnum")
    return Path(str(spec and spec.origin)).parent


def _is_valid(path: Path) -> bool:
    return "is_valid" in path.read_text(encoding="utf-8")
