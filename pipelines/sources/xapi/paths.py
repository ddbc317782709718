"""Places in a statement, as a spec names them: `context.extensions[tessera:competency]`.

Names are joined by dots. What stands in brackets is a key as it is, such as an IRI, or short for
one by a prefix of the spec (`tessera:competency`), or the number of an item of an array, from 0. A
single Activity where an array may stand is its item 0. `person` within an Agent is the id of that
person, and `record` and `voids` at the top say which record a statement makes or withdraws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.sources.xapi.objects import VOIDED
from pipelines.sources.xapi.people import PERSON, person_of

Getter = Callable[[dict[str, Any]], Any]
Step = str | int

RECORD = "record"
VOIDS = "voids"
MADE = (RECORD, VOIDS)
"""Columns that no statement has by that name."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]*)\]")


def parse(path: str, prefixes: Mapping[str, str]) -> tuple[Step, ...] | None:
    """Return the steps of a path; None where it is none."""
    steps: list[Step] = []
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            return None
        end = match.end()
        name, key = match.groups()
        if name is not None:
            steps.append(name)
        elif key.isdigit():
            steps.append(int(key))
        else:
            steps.append(written_out(key, prefixes))
    return tuple(steps) if steps and end == len(path) else None


def written_out(key: str, prefixes: Mapping[str, str]) -> str:
    """Return the IRI that a key with a prefix is short for."""
    prefix, colon, rest = key.partition(":")
    return prefixes[prefix] + rest if colon and prefix in prefixes else key


def shortened(key: str, prefixes: Mapping[str, str]) -> str:
    """Return an IRI by its prefix, where the spec has one for it."""
    for prefix, start in prefixes.items():
        if key.startswith(start):
            return f"{prefix}:{key[len(start) :]}"
    return key


def getter(path: str, prefixes: Mapping[str, str], home_pages: frozenset[str]) -> Getter:
    """Return what takes the value at a path out of a statement; None where nothing is there."""
    if path == RECORD:
        return record_of
    if path == VOIDS:
        return is_voiding
    steps = parse(path, prefixes)
    if steps is None:
        return lambda _statement: None
    if steps[-1] == PERSON:
        *to_agent, _ = steps
        return lambda statement: person_of(_at(statement, to_agent), home_pages)
    return lambda statement: _at(statement, steps)


def _at(value: Any, steps: tuple[Step, ...] | list[Step]) -> Any:
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(value, list):
            value = value[step] if step < len(value) else None
        elif step != 0:
            return None
    return value


def is_voiding(statement: dict[str, Any]) -> bool:
    """Tell whether a statement withdraws another (2.3.2)."""
    verb: dict[str, Any] = statement["verb"]
    return bool(verb["id"] == VOIDED)


def record_of(statement: dict[str, Any]) -> str | None:
    """Return the id of the record that a statement makes, or that it withdraws.

    UUIDs are compared without case, as RFC 4122 has it.
    """
    named = statement["object"].get("id") if is_voiding(statement) else statement.get("id")
    return named.lower() if isinstance(named, str) else None
