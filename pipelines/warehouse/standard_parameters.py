"""Reads what a method of standard setting is given, and refuses what it cannot take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from pipelines.measurement.refusal import UnmeasurableError

_EXAMPLE = {
    "items": json.dumps({"essential easy": 20}),
    "expected": json.dumps({"essential easy": 0.9}),
    "grades": json.dumps({"fail": 0, "borderline": 1, "pass": 2}),
    "positions": json.dumps({"ours": {"fail": 0, "borderline": 1.5, "pass": 2}}),
}


def refuse_others(method: str, parameters: Mapping[str, Any], takes: Sequence[str]) -> None:
    """Refuse parameters that a method does not take.

    Raises:
        UnmeasurableError: there is one.
    """
    unknown = sorted(parameters.keys() - set(takes))
    if unknown:
        raise UnmeasurableError(
            f"{method} does not take {', '.join(unknown)}: it takes {', '.join(takes)}."
        )


def refuse_unfit(
    method: str, function: Callable[..., float], parameters: Mapping[str, Any]
) -> None:
    """Refuse what does not fit the parameters by name of a function.

    Raises:
        UnmeasurableError: it does not take one, lacks one, or one is no number.
    """
    takes = {
        name: one.default is one.empty
        for name, one in signature(function).parameters.items()
        if one.kind is one.KEYWORD_ONLY
    }
    refuse_others(method, parameters, list(takes))
    missing = [name for name, is_needed in takes.items() if is_needed and name not in parameters]
    if missing:
        raise UnmeasurableError(f"{method} needs {', '.join(missing)}.")
    for name, value in parameters.items():
        _number(value, name)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UnmeasurableError(f"{name} is a number, not {json.dumps(value)}.")
    return float(value)


def named(parameters: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return a parameter that gives a number for each of several names.

    Raises:
        UnmeasurableError: it is missing, or no such thing.
    """
    value = parameters.get(name)
    if not isinstance(value, dict) or not value:
        raise UnmeasurableError(f"Give {name} as names with numbers, such as {_EXAMPLE[name]}.")
    return {key: _number(one, f"{name}, {key},") for key, one in value.items()}


def codes_of(parameters: Mapping[str, Any]) -> dict[str, int]:
    """Return the code of each grade.

    Raises:
        UnmeasurableError: a code is no whole number, or belongs to two grades.
    """
    given = named(parameters, "grades")
    codes = {grade: int(code) for grade, code in given.items()}
    if any(code != given[grade] for grade, code in codes.items()):
        raise UnmeasurableError("The codes of grades are whole numbers; distances are positions.")
    if len(set(codes.values())) < len(codes):
        raise UnmeasurableError("Two grades have the same code.")
    return codes


def positions_asked(
    parameters: Mapping[str, Any], codes: Mapping[str, int]
) -> dict[str, dict[int, float]]:
    """Return the positions of grades that were asked for, by name of the assumption.

    Raises:
        UnmeasurableError: an assumption does not place each grade.
    """
    given = parameters.get("positions", {})
    if not isinstance(given, dict):
        raise UnmeasurableError(f"Give positions by name, such as {_EXAMPLE['positions']}.")
    found = {}
    for name, placed in given.items():
        if not isinstance(placed, dict) or placed.keys() != codes.keys():
            raise UnmeasurableError(f"positions, {name}: give one for {', '.join(codes)}.")
        found[name] = {
            codes[grade]: _number(at, f"positions, {name}, {grade},")
            for grade, at in placed.items()
        }
    return found
