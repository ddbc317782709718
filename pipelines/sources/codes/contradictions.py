"""Rows of code lists that contradict each other: every one is sound, and together they are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.sources.faults import Fault
from pipelines.sources.text import folded

LEAST_LEVELS = 2
"""Fewest levels of a scale. Source: local choice: one level tells nobody from anybody."""
MULTISOURCE = "multisource"
SELF = "self"


@dataclass(frozen=True)
class Row:
    """A row of a code list: its values, where it stands, and the row that it replaces."""

    values: Mapping[str, Any]
    path: Path
    line: int | None
    replaces: Row | None = None

    def fault(self, field: str, message: str, remedy: str) -> Fault:
        """Return a fault of this row."""
        return Fault(self.path, self.line, field, message, remedy)


def contradictions(rows: Mapping[str, Iterable[Row]]) -> Iterator[Fault]:
    """Find what rows say against each other.

    Args:
        rows: by code list, as they are in force: the site's over the shipped ones.
    """
    scales = {
        scale: list(levels) for scale, levels in groupby(sorted(rows["scales"], key=_level), _scale)
    }
    for levels in scales.values():
        yield from _scale_faults(levels)
    for label in rows["scale_labels"]:
        yield from _lost_label(label, scales.get(_scale(label), []))
    yield from _ambiguous(scales, rows["scale_labels"])
    for instrument in rows["instruments"]:
        yield from _no_longer_multisource(instrument)
    for role in rows["assessor_roles"]:
        yield from _not_oneself(role)


def _scale(row: Row) -> tuple[str, str]:
    return row.values["scale_id"], row.values["scale_version"]


def _level(row: Row) -> tuple[str, str, int]:
    return *_scale(row), row.values["level"]


def _named(row: Row) -> str:
    return "{} version {}".format(*_scale(row))


def _scale_faults(levels: list[Row]) -> Iterator[Fault]:
    first = levels[0]
    if len(levels) < LEAST_LEVELS:
        message = f"{_named(first)} has one level"
        yield first.fault("level", message, "Add its other levels, a row each")
    odd = next((r for r in levels if r.values["direction"] != first.values["direction"]), None)
    if odd is not None:
        one, other = (f"level {r.values['level']} is {_direction(r)}" for r in (odd, first))
        message = f"{one}, {other} of {_named(first)}"
        remedy = "Give all levels one direction, or make two scales of them"
        yield odd.fault("direction", message, remedy)
    for second in [row for row in levels if row.values["is_target"]][1:]:
        message = f"{_named(first)} has two targets"
        yield second.fault("is_target", message, "Let one level be the target: it and those above")


def _direction(row: Row) -> str:
    return row.values["direction"] or "without direction"


def _lost_label(label: Row, levels: list[Row]) -> Iterator[Fault]:
    text, level = label.values["raw_label"], label.values["level"]
    remedy = "Add the level to scales.csv, or correct the label's row"
    if not levels:
        message = f"{text!r} is of the scale {_named(label)}, which has no levels"
        yield label.fault("level", message, remedy)
    elif level not in [row.values["level"] for row in levels]:
        message = f"{text!r} points to level {level} of {_named(label)}, which no scale has"
        yield label.fault("level", message, remedy)


def _ambiguous(
    scales: Mapping[tuple[str, str], list[Row]], labels: Iterable[Row]
) -> Iterator[Fault]:
    """Find labels that read like the number or the label of another level."""
    levels = [row for rows in scales.values() for row in rows]
    meanings = {(*_scale(row), str(row.values["level"])): row for row in levels}
    for field, rows in (("level_label", levels), ("raw_label", list(labels))):
        for row, text in zip(rows, folded(row.values[field] for row in rows), strict=True):
            other = meanings.setdefault((*_scale(row), text), row)
            if other.values["level"] != row.values["level"]:
                message = (
                    f"{row.values[field]!r} of level {row.values['level']} of {_named(row)} "
                    f"reads as level {other.values['level']} ({other.path}:{other.line})"
                )
                yield row.fault(field, message, "Give each level labels of its own")


def _no_longer_multisource(row: Row) -> Iterator[Fault]:
    shipped = row.replaces.values["method_family"] if row.replaces else None
    if shipped == MULTISOURCE != row.values["method_family"]:
        yield row.fault(
            "method_family",
            f"{row.values['instrument_id']} is shipped as {MULTISOURCE}, which keeps single "
            "respondents from being told",
            f"Write {MULTISOURCE}, or give the instrument another id",
        )


def _not_oneself(row: Row) -> Iterator[Fault]:
    role, group = row.values["assessor_role"], row.values["role_group"]
    if group == SELF != role:
        yield row.fault(
            "role_group",
            f"{role!r} is in the group {SELF}, whose single answers are shown",
            f"Write another group: only the role {SELF} is the learner",
        )
