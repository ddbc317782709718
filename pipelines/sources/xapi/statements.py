"""Whole statements and SubStatements (2.4; 4.2)."""

from __future__ import annotations

from functools import partial
from typing import Any

from pipelines.sources.xapi import actors, contexts, values
from pipelines.sources.xapi.attachments import attachments
from pipelines.sources.xapi.objects import VERB, VOIDED, is_activity, plain_object
from pipelines.sources.xapi.outcomes import RESULT
from pipelines.sources.xapi.report import Fault, Path, Report
from pipelines.sources.xapi.requirements import Version
from pipelines.sources.xapi.shapes import Check, Object, Shape, formatted, timestamp, uuid, within

_NEEDED = {
    "actor": ("00003", "who"),
    "verb": ("00004", "did"),
    "object": ("00005", "what"),
}
_FORBIDDEN_WITHIN = {
    "id": "00070",
    "stored": "00069",
    "version": "00068",
    "authority": "00067",
}


def _object_of_sub(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, dict):
        report.add("wrong_type", path, "00005", "an object")
    elif value.get("objectType") == "SubStatement":
        what = "a SubStatement holds no SubStatement: name an Activity, a person or a StatementRef"
        report.add("not_allowed_here", path, "00071", what)
    else:
        plain_object(value, path, report)


def _forbidden(rule: str, name: str) -> Check:
    def check(_value: Any, path: Path, report: Report) -> None:
        report.add("not_allowed_here", path, rule, f"leave {name} out of the SubStatement")

    return check


def _as_it_is(_value: Any, _path: Path, _report: Report) -> None:
    """Pass: which shape is asked was told by it."""


_PARTS: dict[str, Check] = {
    "actor": actors.actor,
    "verb": VERB.check,
    "result": RESULT.check,
    "context": contexts.context,
    "timestamp": timestamp("00022"),
    "attachments": attachments,
}
_SUB = Shape(
    "a SubStatement",
    "00066",
    {
        **_PARTS,
        "objectType": _as_it_is,
        "object": _object_of_sub,
        **{name: _forbidden(rule, name) for name, rule in _FORBIDDEN_WITHIN.items()},
    },
    required=_NEEDED,
)


def _together(value: Object, path: Path, report: Report) -> None:
    if not is_activity(value.get("object")):
        inner = f"{path}.context" if path else "context"
        contexts.of_activity_only(value.get("context"), inner, report)


@partial(within, "00066")
def _sub_statement(value: Any, path: Path, report: Report) -> None:
    _SUB.check(value, path, report)
    _together(value, path, report)


def _object(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, dict):
        report.add("wrong_type", path, "00005", "an object")
    elif value.get("objectType") == "SubStatement":
        _sub_statement(value, path, report)
    else:
        plain_object(value, path, report)


_STATEMENT = Shape(
    "a statement",
    "00014",
    {
        **_PARTS,
        "id": uuid("00027"),
        "object": _object,
        "stored": timestamp("00023"),
        "authority": actors.authority,
        "version": formatted("00101", values.is_version, "1.0, 1.0.x, 2.0 or 2.0.x"),
    },
    required=_NEEDED,
)


def _voiding(value: Object, report: Report) -> None:
    verb, target = value.get("verb"), value.get("object")
    if not isinstance(verb, dict) or verb.get("id") != VOIDED or not isinstance(target, dict):
        return
    if target.get("objectType") != "StatementRef":
        what = "the object of a voiding statement is a StatementRef"
        report.add("not_allowed_here", "object", "00020", what)


def version_of(value: Any, default: Version) -> Version:
    """Return the version that a statement is judged by: its own, where it names one."""
    named = value.get("version") if isinstance(value, dict) else None
    if not isinstance(named, str) or not values.is_version(named):
        return default
    return "2.0" if named.startswith("2") else "1.0.3"


def check_statement(value: Any, default: Version = "1.0.3") -> list[Fault]:
    """Return what is wrong with a statement; nothing where it is right.

    Args:
        value: the statement, as JSON has it.
        default: the version of statements that name none.
    """
    report = Report(version_of(value, default))
    _STATEMENT.check(value, "", report)
    if isinstance(value, dict):
        _together(value, "", report)
        _voiding(value, report)
    return report.faults
