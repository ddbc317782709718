"""The verdict on a line: one statement, or a batch of statements."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from pipelines.sources.xapi.report import Fault
from pipelines.sources.xapi.requirements import BATCH, Version, name
from pipelines.sources.xapi.screen import has_each_key_once, is_proven, is_shallow
from pipelines.sources.xapi.statements import check_statement

_decode = msgspec.json.Decoder().decode
_UNPROVEN = object()
_JSON_WORDS = {
    "not_json": ("the line is not JSON", "00014"),
    "not_finite": ("a number is not finite", "00014"),
    "duplicate_key": ("an object has the same key twice", "00021"),
    "lone_surrogate": ("a text holds half of a character", "00014"),
    "nested_too_deep": ("the statement is nested too deeply", "00014"),
    "not_utf8": ("the line is not UTF-8 text", "00014"),
}

MOST_DIGITS = 4_000
"""Python turns no longer text into a whole number; such a one is compared as a float."""

JSON_CODES = frozenset(_JSON_WORDS)
"""Codes of what is no clean JSON; all others are of broken rules."""


class Verdict(NamedTuple):
    """What is wrong with a line, or nothing; and what it says, where it is JSON."""

    faults: list[Fault]
    content: Any = None


def check(line: bytes, version: Version = "1.0.3") -> list[Fault]:
    """Return what is wrong with a line; nothing where it is right.

    Args:
        line: one statement, or an array of them: a batch, right only if every statement is.
        version: the version of statements that name none.
    """
    return [] if is_proven(line) else read(line, version).faults


def read(line: bytes, version: Version = "1.0.3") -> Verdict:
    """Return the content of a line with what is wrong with it.

    Args:
        line: one statement, or a batch.
        version: the version of statements that name none.
    """
    content = _quickly(line)
    if content is _UNPROVEN:
        content = _to_the_letter(line, version)
        if isinstance(content, Fault):
            return Verdict([content])
    if isinstance(content, list):
        return Verdict(check_batch(content, version), content)
    return Verdict(check_statement(content, version), content)


def _quickly(line: bytes) -> Any:
    """Return what a line says, or that this way cannot tell whether it is clean JSON."""
    try:
        content = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _UNPROVEN
    return content if is_shallow(line) and has_each_key_once(line, content) else _UNPROVEN


def _to_the_letter(line: bytes, version: Version) -> Any:
    """Return what a line says, its numbers as numbers; or why it is not clean JSON."""
    from pipelines.sources.readers.strict_json import NotJson, Number, parse

    def with_numbers(value: Any) -> Any:
        if isinstance(value, Number):
            is_whole = not set(value) & set(".eE") and len(value) <= MOST_DIGITS
            return int(value) if is_whole else float(value)
        if isinstance(value, list):
            return [with_numbers(item) for item in value]
        if isinstance(value, dict):
            return {key: with_numbers(item) for key, item in value.items()}
        return value

    try:
        return with_numbers(parse(line))
    except NotJson as error:
        message, rule = _JSON_WORDS.get(error.code, _JSON_WORDS["not_json"])
        return Fault(error.code, "", message, error.suggestion, name((rule,), version))


def check_batch(statements: list[Any], version: Version = "1.0.3") -> list[Fault]:
    """Return what is wrong with a batch: the faults of its statements, each by its place."""
    return [
        fault._replace(
            field=f"[{n}].{fault.field}" if fault.field else f"[{n}]",
            requirement=f"{fault.requirement}, {name((BATCH,), version)}",
        )
        for n, statement in enumerate(statements)
        for fault in check_statement(statement, version)
    ]
