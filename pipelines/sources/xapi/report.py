"""What is wrong with a statement: stable codes, plain sentences, and the requirement broken.

No value is quoted: a statement names people, and a report may be seen by others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from pipelines.sources.xapi.requirements import Version, name

_WORDS: dict[str, tuple[str, str]] = {
    "null_value": (
        "{field} is null",
        "leave {field} out: null stands within extensions only",
    ),
    "missing_property": ("{field} is missing", "add {field}: {what}"),
    "unknown_property": (
        "{field} is not a property of {what}",
        "{near}leave it out, or move it into extensions",
    ),
    "wrong_case": ("{field} is not written as the specification writes it", "write {what}"),
    "wrong_type": ("{field} is not {what}", "write {field} as {what}"),
    "bad_format": ("{field} is not {what}", "correct {field}"),
    "not_in_list": ("{field} is not one of its values", "use one of: {what}"),
    "out_of_range": ("{field} is out of its range", "{field} must be {what}"),
    "no_identifier": (
        "{field} has no identifier",
        "give exactly one of mbox, mbox_sha1sum, openid and account{what}",
    ),
    "several_identifiers": (
        "{field} has more than one identifier",
        "keep exactly one of mbox, mbox_sha1sum, openid and account",
    ),
    "not_allowed_here": ("{field} must not stand here", "{what}"),
    "not_unique": ("{field} repeats an id", "give each component of the list an id of its own"),
}

Path = str
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}")


class Fault(NamedTuple):
    """One thing that is wrong with one property of a statement."""

    code: str
    field: str
    message: str
    suggestion: str
    requirement: str


_GENERAL = {"wrong_type": "00006", "bad_format": "00007", "wrong_case": "00010"}
"""What every rule of a type or a format serves."""


class Report:
    """Collects what is wrong with one statement, judged by one version."""

    __slots__ = ("faults", "version", "within")

    def __init__(self, version: Version) -> None:
        self.version = version
        self.faults: list[Fault] = []
        self.within: list[str] = []
        """The requirements that what is being checked must keep as a whole."""

    def add(self, code: str, field: Path, rules: str, what: str = "", near: str = "") -> None:
        """Note a fault.

        Args:
            code: what kind of fault.
            field: the path of the property.
            rules: the requirements that it breaks, the nearest first.
            what: what should stand there.
            near: what may have been meant.
        """
        message, suggestion = _WORDS[code]
        shown = field or "the statement"
        general = [_GENERAL[code]] if code in _GENERAL else []
        self.faults.append(
            Fault(
                code,
                field,
                message.format(field=shown, what=what),
                suggestion.format(field=shown, what=what, near=near),
                name((*rules.split(), *general, *reversed(self.within)), self.version),
            )
        )

    def unknown(self, path: Path, key: str, known: Iterable[str], what: str) -> None:
        """Note a property that is none of those known: misspelt by its case, or not there."""
        shown = key if _NAME.fullmatch(key) else "(a property)"
        field = inside(path, shown)
        twins = {other.lower(): other for other in known}
        if (right := twins.get(key.lower())) is not None:
            self.add("wrong_case", field, "00008", right)
            return
        close = get_close_matches(key, list(twins.values()), n=1)
        near = f"write {close[0]}, if that is meant, or " if close else ""
        self.add("unknown_property", field, "00010", what, near)


def inside(path: Path, key: str) -> Path:
    """Return the path of a property within another."""
    return f"{path}.{key}" if path else key
