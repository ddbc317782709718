"""Agents, Groups, and how they are identified (2.4.2; 4.2.2.1)."""

from __future__ import annotations

from typing import Any

from pipelines.sources.xapi import values
from pipelines.sources.xapi.report import Path, Report
from pipelines.sources.xapi.shapes import Check, Object, Shape, array, formatted, irl, text, within

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
ACCOUNT = Shape(
    "an account",
    "00041",
    {"homePage": irl("00042"), "name": text("00043 00007")},
    required={
        "homePage": ("00042", "the address of the system of the account"),
        "name": ("00043", "the name of the account there"),
    },
)
_IDENTIFYING: dict[str, Check] = {
    "mbox": formatted("00038", values.is_mailto, "mailto: and an e-mail address"),
    "mbox_sha1sum": formatted("00039", values.is_sha1, "a SHA-1 of 40 hexadecimal digits"),
    "openid": formatted("00040", values.is_uri, "a URI with its scheme"),
    "account": ACCOUNT.check,
}


def _object_type(value: Any, path: Path, report: Report) -> None:
    """Pass any: which shape is asked depends on it."""


_AGENT = Shape(
    "an Agent",
    "00031",
    {"objectType": _object_type, "name": text("00033"), **_IDENTIFYING},
)


def agent(value: Any, path: Path, report: Report) -> None:
    """Check an Agent: exactly one identifier."""
    _AGENT.check(value, path, report)
    if isinstance(value, dict):
        _typed(value, path, report, ("Agent",))
        _identified(value, path, report, "00034", at_least=1)


_GROUP = Shape(
    "a Group",
    "00031",
    {
        "objectType": _object_type,
        "name": text("00033"),
        "member": array("00036 00035", agent, "Agents"),
        **_IDENTIFYING,
    },
)


def group(value: Any, path: Path, report: Report) -> None:
    """Check a Group: identified by one identifier, or anonymous with its members."""
    _GROUP.check(value, path, report)
    if isinstance(value, dict):
        if value.get("objectType") != "Group":
            _typed(value, path, report, ("Group",), is_needed=True)
        _identified(value, path, report, "00037", at_least=0)
        is_anonymous = not any(name in value for name in IDENTIFIERS)
        if is_anonymous and value.get("member") in (None, []):
            report.add("no_identifier", path, "00035", ", or list its members in member")


def actor(value: Any, path: Path, report: Report) -> None:
    """Check what may be an Agent or a Group, told by its objectType."""
    if isinstance(value, dict) and value.get("objectType") == "Group":
        group(value, path, report)
    elif not isinstance(value, dict):
        report.add("wrong_type", path, "00031", "an Agent or a Group")
    elif value.get("objectType", "Agent") != "Agent":
        _typed(value, path, report, ("Agent", "Group"))
    else:
        agent(value, path, report)


_actor_of_authority = within("00024", actor)


def authority(value: Any, path: Path, report: Report) -> None:
    """Check who vouches for a statement: an Agent, or an application with its user (OAuth)."""
    if not isinstance(value, dict):
        report.add("wrong_type", path, "00024", "an Agent or a Group")
        return
    _actor_of_authority(value, path, report)
    if value.get("objectType") == "Group":
        _application_and_user(value, path, report)


def _application_and_user(value: Object, path: Path, report: Report) -> None:
    if any(name in value for name in IDENTIFIERS):
        what = "leave its identifier out: the authority is an anonymous Group of two"
        report.add("not_allowed_here", path, "00098 00024", what)
    members = value.get("member")
    if not isinstance(members, list) or len(members) != 2:
        report.add("out_of_range", f"{path}.member", "00098 00100", "exactly two Agents")
    elif not any(isinstance(m, dict) and "account" in m for m in members):
        what = "one of the two is the application, with its account"
        report.add("not_allowed_here", f"{path}.member", "00100", what)


def _typed(
    value: Object,
    path: Path,
    report: Report,
    allowed: tuple[str, ...],
    *,
    is_needed: bool = False,
) -> None:
    given = value.get("objectType")
    if given is None and not is_needed:
        return
    if given is not None and not isinstance(given, str):
        report.add("wrong_type", f"{path}.objectType", "00032 00031", "text")
    elif given not in allowed:
        report.add("not_in_list", f"{path}.objectType", "00031", ", ".join(allowed))


def _identified(value: Object, path: Path, report: Report, rule: str, *, at_least: int) -> None:
    n_identifiers = sum(name in value for name in IDENTIFIERS)
    if n_identifiers > 1:
        report.add("several_identifiers", path, rule)
    elif n_identifiers < at_least:
        report.add("no_identifier", path, rule)
