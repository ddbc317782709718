"""Verbs, and what statements are about: Activities, people, other statements (2.4.3, 2.4.4)."""

from __future__ import annotations

from typing import Any

from pipelines.sources.xapi import actors
from pipelines.sources.xapi.report import Path, Report
from pipelines.sources.xapi.shapes import (
    Check,
    Object,
    Shape,
    array,
    extensions,
    iri,
    irl,
    language_map,
    one_of,
    text,
    uuid,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
OBJECT_TYPES = ("Activity", "Agent", "Group", "SubStatement", "StatementRef")

VERB = Shape(
    "a verb",
    "00004 00044",
    {"id": iri("00044"), "display": language_map("00045")},
    required={"id": ("00044", "the IRI of the verb")},
)

COMPONENT = Shape(
    "an interaction component",
    "00063",
    {"id": text("00058"), "description": language_map("00062")},
    required={"id": ("00058", "what the component is called within its list")},
)
_COMPONENT_LISTS = {
    "choices": "00055",
    "scale": "00054",
    "source": "00053",
    "target": "00052",
    "steps": "00051",
}
_LISTS_OF = {
    "choice": {"choices"},
    "sequencing": {"choices"},
    "likert": {"scale"},
    "matching": {"source", "target"},
    "performance": {"steps"},
}
INTERACTIONS = (
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
)


def _components(rule: str) -> Check:
    each = array(rule, COMPONENT.check, "interaction components")

    def check(value: Any, path: Path, report: Report) -> None:
        each(value, path, report)
        if isinstance(value, list):
            ids = [item["id"] for item in value if isinstance(item, dict) and "id" in item]
            if any(item in ids[:n] for n, item in enumerate(ids)):
                report.add("not_unique", path, "00058")

    return check


_DEFINITION = Shape(
    "an Activity definition",
    "00048",
    {
        "name": language_map("00056"),
        "description": language_map("00059"),
        "type": iri("00060"),
        "moreInfo": irl("00061"),
        "interactionType": one_of("00049", INTERACTIONS),
        "correctResponsesPattern": array("00050", text("00050"), "texts"),
        **{name: _components(rule) for name, rule in _COMPONENT_LISTS.items()},
        "extensions": extensions("00057"),
    },
)


def definition(value: Any, path: Path, report: Report) -> None:
    """Check an Activity definition; lists of components belong to their kinds of interaction."""
    _DEFINITION.check(value, path, report)
    if not isinstance(value, dict):
        return
    lists = [name for name in _COMPONENT_LISTS if name in value]
    kind = value.get("interactionType")
    if kind is None:
        if lists or "correctResponsesPattern" in value:
            what = "the kind of interaction that the other properties describe"
            report.add("missing_property", f"{path}.interactionType", "00064", what)
        return
    for name in lists:
        if isinstance(kind, str) and kind in INTERACTIONS and name not in _LISTS_OF.get(kind, ()):
            what = f"leave it out, or correct interactionType: {kind} has no {name}"
            report.add("not_allowed_here", f"{path}.{name}", _COMPONENT_LISTS[name], what)


ACTIVITY = Shape(
    "an Activity",
    "00046",
    {
        "objectType": one_of("00046", ("Activity",)),
        "id": iri("00047"),
        "definition": definition,
    },
    required={"id": ("00047", "the IRI of the Activity")},
)

STATEMENT_REF = Shape(
    "a StatementRef",
    "00073",
    {"objectType": one_of("00073", ("StatementRef",)), "id": uuid("00072")},
    required={
        "objectType": ("00073", "StatementRef"),
        "id": ("00072", "the UUID of the statement"),
    },
)

_PERSONAL = {"mbox", "mbox_sha1sum", "openid", "account", "member"}


def plain_object(value: Object, path: Path, report: Report) -> None:
    """Check an object that is no SubStatement, told by its objectType."""
    given = value.get("objectType", "Activity")
    if given == "Activity":
        _activity(value, path, report)
    elif given == "StatementRef":
        STATEMENT_REF.check(value, path, report)
    elif given == "Group":
        actors.group(value, path, report)
    elif given == "Agent":
        actors.agent(value, path, report)
    elif not isinstance(given, str):
        report.add("wrong_type", f"{path}.objectType", f"00046 {_meant(value)} 00032", "text")
    else:
        listed = ", ".join(OBJECT_TYPES)
        report.add("not_in_list", f"{path}.objectType", f"00046 {_meant(value)}", listed)


def _meant(value: Object) -> str:
    """Return the requirement on the objectType of what an object looks like."""
    return "00031" if not _PERSONAL.isdisjoint(value) else "00073"


def _activity(value: Object, path: Path, report: Report) -> None:
    if "objectType" not in value:
        if not _PERSONAL.isdisjoint(value):
            what = "a person or Group as the object says objectType Agent or Group"
            report.add("missing_property", f"{path}.objectType", "00065", what)
            return
        if {"actor", "verb", "object"} <= value.keys():
            what = "a SubStatement as the object says objectType SubStatement"
            report.add("missing_property", f"{path}.objectType", "00073 00065", what)
            return
    ACTIVITY.check(value, path, report)


def is_activity(value: Any) -> bool:
    """Tell whether the object of a statement is an Activity."""
    return not isinstance(value, dict) or value.get("objectType", "Activity") == "Activity"
