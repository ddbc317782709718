"""Contexts: what else belongs to the experience (2.4.6; 4.2.2.5)."""

from __future__ import annotations

from typing import Any

from pipelines.sources.xapi import actors
from pipelines.sources.xapi.objects import ACTIVITY, STATEMENT_REF
from pipelines.sources.xapi.report import Path, Report
from pipelines.sources.xapi.requirements import CONTEXT_AGENTS, CONTEXT_GROUPS, Version
from pipelines.sources.xapi.shapes import (
    Check,
    Shape,
    array,
    extensions,
    iri,
    language,
    one_of,
    text,
    uuid,
    within,
)

_actor = within("00087-2", actors.actor)
_group = within("00088", actors.group)
_reference = within("00092", STATEMENT_REF.check)


def _instructor(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, dict):
        _actor(value, path, report)
    else:
        report.add("wrong_type", path, "00087-2", "an Agent or a Group")


def _team(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, dict) and value.get("objectType") == "Group":
        _group(value, path, report)
    else:
        report.add("wrong_type", path, "00088", "a Group, with objectType Group")


_ACTIVITY = within("00094", ACTIVITY.check)
_ACTIVITIES = array("00094", _ACTIVITY, "Activities")


def _one_or_several(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, list):
        _ACTIVITIES(value, path, report)
    elif isinstance(value, dict):
        _ACTIVITY(value, path, report)
    else:
        report.add("wrong_type", path, "00094", "an Activity or an array of Activities")


_ROLES = dict.fromkeys(("parent", "grouping", "category", "other"), _one_or_several)


def _context_activities(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, dict):
        report.add("wrong_type", path, "00086", "an object of Activities by role")
        return
    for key, item in value.items():
        if item is None:
            report.add("null_value", f"{path}.{key}", "00001")
        elif (check := _ROLES.get(key)) is not None:
            check(item, f"{path}.{key}", report)
        else:
            report.add("not_in_list", f"{path}.(a key)", "00093", ", ".join(_ROLES))


def _statement_ref(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, dict) and value.get("objectType") == "StatementRef":
        _reference(value, path, report)
    else:
        report.add("wrong_type", path, "00092", "a StatementRef, with objectType and id")


_COMMON: dict[str, Check] = {
    "registration": uuid("00087-1"),
    "instructor": _instructor,
    "team": _team,
    "contextActivities": _context_activities,
    "revision": text("00089"),
    "platform": text("00090"),
    "language": language("00091"),
    "statement": _statement_ref,
    "extensions": extensions("00118"),
}


def _relevant_types(rule: str) -> Check:
    each = array(rule, iri(rule), "IRIs")

    def check(value: Any, path: Path, report: Report) -> None:
        each(value, path, report)
        if value == []:
            report.add("out_of_range", path, rule, "one IRI or more, or left out")

    return check


def _related(kind: str, who: str, rule: str, check: Check) -> Check:
    """Return the check of the people of one kind whom a statement of 2.0 relates to."""
    shape = Shape(
        f"a {kind}",
        rule,
        {
            "objectType": one_of(rule, (kind,)),
            who: check,
            "relevantTypes": _relevant_types(rule),
        },
        required={"objectType": (rule, kind), who: (rule, f"whom the {kind} names")},
    )
    return array(rule, shape.check, f"{kind} objects")


_SHAPES: dict[Version, Shape] = {
    "1.0.3": Shape("a context", "00006", _COMMON),
    "2.0": Shape(
        "a context",
        "00006",
        {
            **_COMMON,
            "contextAgents": _related("contextAgent", "agent", CONTEXT_AGENTS, actors.agent),
            "contextGroups": _related("contextGroup", "group", CONTEXT_GROUPS, actors.group),
        },
    ),
}


def context(value: Any, path: Path, report: Report) -> None:
    """Check a context as the version has it."""
    _SHAPES[report.version].check(value, path, report)


def of_activity_only(value: Any, path: Path, report: Report) -> None:
    """Check the context of a statement whose object is no Activity: no revision, no platform."""
    if isinstance(value, dict):
        for name, rule in (("revision", "00084"), ("platform", "00085")):
            if name in value:
                what = f"leave {name} out: the object is not an Activity"
                report.add("not_allowed_here", f"{path}.{name}", rule, what)
