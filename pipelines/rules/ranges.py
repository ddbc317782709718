"""What the values of thresholds may be: a share is no percentage, and days and counts are whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import product

from pipelines.rules.model import RuleSet
from pipelines.rules.registry import Fault

FEWEST_PEOPLE = 3
"""Nothing is shown of fewer people, whatever a site says: of two, each knows the other."""


@dataclass(frozen=True)
class Range:
    """The values that a threshold may have.

    Attributes:
        low: the smallest.
        high: the greatest.
        is_whole: whether only whole numbers are meant.
    """

    low: Decimal
    high: Decimal
    is_whole: bool = False

    def holds(self, value: Decimal) -> bool:
        """Tell whether a threshold may have the value."""
        return self.low <= value <= self.high and (not self.is_whole or value == int(value))

    def __str__(self) -> str:
        """Return the range in words."""
        kind = "a whole number" if self.is_whole else "a number"
        return f"{kind} from {self.low} to {self.high}"


def _whole(low: int, high: int = 100_000) -> Range:
    return Range(Decimal(low), Decimal(high), is_whole=True)


def _between(low: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(high))


SHARE = _between("0", "1")

RANGES: tuple[tuple[str, Range], ...] = (
    ("msf.respondents.min", _whole(FEWEST_PEOPLE)),
    ("privacy.small_cells.learners_min", _whole(FEWEST_PEOPLE)),
    ("measurement.dependability.wanted", _between("0.01", "0.99")),
    ("exams.generalizability.wanted", _between("0.01", "0.99")),
    ("exams.d_study.*", _between("0.1", "10")),
    ("measurement.components.*", _between("0", "100")),
    ("exams.item_analysis.discrimination_min", _between("-1", "1")),
    ("exams.item_analysis.group_share", _between("0.01", "0.5")),
    ("*.status.summary", _whole(1, 2)),
    ("*.plan.applies", _whole(0, 1)),
    ("*.actionable_needs_marker", _whole(0, 1)),
    ("*.z", _between("0.1", "10")),
    ("agenda.*.minutes", _between("0", "240")),
    ("signals.peers.assessor_variance_share", _between("0", "0.99")),
    ("*.*share*", SHARE),
    ("*.*chance*", SHARE),
    ("*.difficulty_*", SHARE),
    ("*.above_low_min", SHARE),
    ("*.discussion_high_max", SHARE),
    ("*.change_min", SHARE),
    ("*.*errors_min", _between("0", "100")),
    ("*.discussion_gap_min", _between("0", "100")),
    ("*", _whole(0)),
)
"""Ranges by `rule set.rule.threshold`; the first that fits is meant."""

NOT_MORE_THAN = (
    ("status", "latest_at_target_min", "latest_k"),
    ("score_narrative", "low_share_below_max", "high_share_below_min"),
    *(("performance_fell", f"window_days_{n}", f"until_days_{n}") for n in (1, 2, 3)),
)
"""Thresholds of a rule of which the first cannot be more than the second."""


def faults(rules: RuleSet) -> Iterator[Fault]:
    """Find thresholds whose values nobody can mean."""
    yield from _out_of_range(rules)
    yield from _more_than_another(rules)


def _out_of_range(rules: RuleSet) -> Iterator[Fault]:
    for n, rule in enumerate(rules.rules):
        for m, threshold in enumerate(rule.thresholds):
            wanted = _range_of(f"{rules.name}.{rule.id}.{threshold.name}")
            if not wanted.holds(threshold.value):
                what = f"threshold {threshold.name} of rule {rule.id} is {threshold.value}"
                yield Fault(_place(n, m), what, f"Write {wanted} ({threshold.unit}).")


def _more_than_another(rules: RuleSet) -> Iterator[Fault]:
    for (n, rule), (rule_id, name, most) in product(enumerate(rules.rules), NOT_MORE_THAN):
        places = {threshold.name: m for m, threshold in enumerate(rule.thresholds)}
        if rule.id != rule_id or not {name, most} <= places.keys():
            continue
        value, greatest = (rule.thresholds[places[one]].value for one in (name, most))
        if value > greatest:
            what = f"{name} of rule {rule.id} is {value}, and {most} {greatest}"
            yield Fault(_place(n, places[name]), what, f"Write {greatest} or less.")


def _place(rule: int, threshold: int) -> tuple[str | int, ...]:
    return ("rules", rule, "thresholds", threshold, "value")


def _range_of(name: str) -> Range:
    return next(found for pattern, found in RANGES if fnmatchcase(name, pattern))
