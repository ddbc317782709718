"""How the rules of an object are declared: its properties, each with its check.

A check takes a value, its path and the report. What is null is refused before a check is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.xapi import values
from pipelines.sources.xapi.report import Path, Report, inside

Check = Callable[[Any, Path, Report], None]
Object = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """An object: what it is called, its properties, and which of them must be there."""

    called: str
    """Such as `a score`."""
    rule: str
    """The requirement that it is an object."""
    properties: Mapping[str, Check]
    required: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By property: its requirement, and what it holds."""

    def check(self, value: Any, path: Path, report: Report) -> None:
        """Check an object and all that is in it."""
        if not isinstance(value, dict):
            report.add("wrong_type", path, self.rule, self.called)
            return
        for key, item in value.items():
            if item is None:
                report.add("null_value", inside(path, key), "00001")
            elif (check := self.properties.get(key)) is not None:
                check(item, f"{path}.{key}" if path else key, report)
            else:
                report.unknown(path, key, self.properties, self.called)
        for key, (rule, what) in self.required.items():
            if key not in value:
                report.add("missing_property", inside(path, key), rule, what)


def formatted(rule: str, matches: Callable[[str], object], what: str) -> Check:
    """Return the check of a text of a particular format."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.add("wrong_type", path, f"{rule} 00006 00007", f"{what}, as text")
        elif not matches(value):
            report.add("bad_format", path, rule, what)

    return check


def text(rule: str) -> Check:
    """Return the check of any text."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.add("wrong_type", path, rule, "text")

    return check


def iri(rule: str) -> Check:
    """Return the check of an IRI."""
    return formatted(rule, values.is_iri, "an IRI with its scheme")


def irl(rule: str) -> Check:
    """Return the check of an IRL."""
    return formatted(rule, values.is_irl, "an IRL with its scheme")


def uuid(rule: str) -> Check:
    """Return the check of a UUID."""
    return formatted(f"{rule} 00027 00028 00029 00030", values.is_uuid, "a UUID of 36 characters")


def duration(rule: str) -> Check:
    """Return the check of a duration."""
    what = "a duration of ISO 8601, such as PT1H30M"
    return formatted(f"{rule} 00124", values.is_duration, what)


def language(rule: str) -> Check:
    """Return the check of the tag of a language."""
    return formatted(f"{rule} 00013", values.is_language, "a language tag of RFC 5646")


def within(rule: str, check: Check) -> Check:
    """Return a check whose faults break the requirement of the whole too."""

    def check_inside(value: Any, path: Path, report: Report) -> None:
        report.within.append(rule)
        check(value, path, report)
        report.within.pop()

    return check_inside


def boolean(rule: str) -> Check:
    """Return the check of true or false."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, bool):
            report.add("wrong_type", path, rule, "true or false")

    return check


def is_number(value: Any) -> bool:
    """Tell whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def one_of(rule: str, choices: frozenset[str] | tuple[str, ...]) -> Check:
    """Return the check of a word of a list."""
    listed = ", ".join(sorted(choices))
    folded = {choice.lower() for choice in choices}

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str) or value not in choices:
            is_miswritten = isinstance(value, str) and value.lower() in folded
            report.add("not_in_list", path, f"{rule} 00009" if is_miswritten else rule, listed)

    return check


def array(rule: str, of: Check, what: str) -> Check:
    """Return the check of an array whose items all pass another."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, list):
            report.add("wrong_type", path, rule, f"an array of {what}")
            return
        for n, item in enumerate(value):
            if item is None:
                report.add("null_value", f"{path}[{n}]", "00001")
            else:
                of(item, f"{path}[{n}]", report)

    return check


def language_map(rule: str) -> Check:
    """Return the check of texts by language."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, dict):
            report.add("wrong_type", path, rule, "an object of texts by language")
            return
        for tag, words in value.items():
            if not values.is_language(tag):
                report.add(
                    "bad_format",
                    f"{path}.(a language)",
                    f"00121 00013 {rule}",
                    "a language tag of RFC 5646",
                )
            if words is None:
                report.add("null_value", f"{path}.(a language)", "00001")
            elif not isinstance(words, str):
                report.add("wrong_type", f"{path}.(a language)", rule, "text")

    return check


def extensions(rule: str) -> Check:
    """Return the check of extensions: any values, by IRI."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, dict):
            report.add("wrong_type", path, rule, "an object of values by IRI")
            return
        for key in value:
            if not values.is_iri(key):
                report.add(
                    "bad_format", f"{path}.(a key)", f"00118 {rule}", "an IRI with its scheme"
                )

    return check


def timestamp(rule: str) -> Check:
    """Return the check of a point in time, as the version asks for it."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.add("wrong_type", path, rule, "a time, as text")
        elif report.version == "2.0":
            if not values.is_rfc_3339(value):
                report.add(
                    "bad_format", path, f"{rule} 00123", "a time of RFC 3339 with its offset"
                )
        elif not values.is_iso_8601(value):
            report.add("bad_format", path, f"{rule} 00123", "a date and time of ISO 8601")

    return check
