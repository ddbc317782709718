"""Which rules and thresholds the models read: those of the shipped rule sets, and no others.

Most rule sets are found by their name. Those that judge cells, and embargoes of a programme, are
found by a rule that they have, so that a site may have some under names of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pipelines.rules.model import Rule, RuleSet

JUDGES_CELLS = "data_points"
"""The rule by which rule sets of sufficiency and status are found."""
HAS_EMBARGO = "embargo"
"""The rule by which the embargo of a programme is found."""
SUMMARY = "summary"
"""The threshold that says by what a cell is summed up, and so which others are read."""


@dataclass(frozen=True)
class Fault:
    """One thing that a rule set says and nothing reads, or that is read and it does not say.

    Attributes:
        location: where it stands in the file.
        what: what is wrong.
        remedy: what to do.
    """

    location: tuple[str | int, ...]
    what: str
    remedy: str


def faults(rules: RuleSet, shipped: Iterable[RuleSet]) -> Iterator[Fault]:
    """Hold a rule set of a site against what is shipped.

    Args:
        rules: the site's version of a rule set.
        shipped: every shipped version.
    """
    newest = {r.name: r for r in sorted(shipped, key=lambda r: (r.known_from, r.effective_from))}
    family = _family(rules, newest)
    if not family:
        yield Fault(
            ("rule_set",), f"nothing reads a rule set {rules.name}", _nearest(rules.name, newest)
        )
        return
    yield from _wrong_scope(rules, family, newest)
    yield from _unread(rules, family)
    yield from _missing(rules, family)


def _family(rules: RuleSet, newest: dict[str, RuleSet]) -> list[RuleSet]:
    """Return the shipped rule sets that are read as this one is."""
    families = [
        [other for other in newest.values() if _has(other, marker)]
        for marker in (JUDGES_CELLS, HAS_EMBARGO)
    ]
    named = newest.get(rules.name)
    if named is not None:
        return next((family for family in families if named in family), [named])
    ids = _ids(rules.rules)
    return next((f for f in families if ids & _ids(rule for r in f for rule in r.rules)), [])


def _has(rules: RuleSet, rule_id: str) -> bool:
    return any(rule.id == rule_id for rule in rules.rules)


def _wrong_scope(
    rules: RuleSet, family: list[RuleSet], newest: dict[str, RuleSet]
) -> Iterator[Fault]:
    judges_cells = _has(family[0], JUDGES_CELLS)
    is_own_embargo = _has(family[0], HAS_EMBARGO) and rules.name not in newest
    if rules.programme_id is not None and not (judges_cells or is_own_embargo):
        what = f"{rules.name} holds for every programme"
        yield Fault(("programme_id",), what, "Remove `programme_id`.")
    if rules.programme_id is None and is_own_embargo:
        what = f"{rules.name} names no programme that its embargo is for"
        yield Fault(("rule_set",), what, "Add `programme_id:`, or name it decision_embargo.")
    if rules.is_default and not judges_cells:
        what = f"{rules.name} does not judge cells, and cannot be the default"
        yield Fault(("is_default",), what, "Remove `is_default`.")
    for n, rule in enumerate(rules.rules):
        if rule.stage_id is not None and not judges_cells:
            what = f"rule {rule.id} of {rules.name} holds for every stage"
            yield Fault(("rules", n, "stage_id"), what, "Remove `stage_id`.")


def _unread(rules: RuleSet, family: list[RuleSet]) -> Iterator[Fault]:
    known = _ids(rule for other in family for rule in other.rules)
    for n, rule in enumerate(rules.rules):
        if rule.id not in known:
            what = f"nothing reads a rule {rule.id} of {rules.name}"
            yield Fault(("rules", n, "id"), what, _nearest(rule.id, known))
            continue
        names = _names_of_thresholds(_alike(rule, family))
        for m, threshold in enumerate(rule.thresholds):
            if threshold.name not in names:
                what = f"nothing reads a threshold {threshold.name} of rule {rule.id}"
                place = ("rules", n, "thresholds", m, "name")
                yield Fault(place, what, _nearest(threshold.name, names))


def _missing(rules: RuleSet, family: list[RuleSet]) -> Iterator[Fault]:
    """Find what is left out; what is misspelled is told as that alone."""
    shipped = [other.name for other in family]
    shown = rules.name if rules.name in shipped else shipped[0]
    remedy = f"Copy what is shipped: `tessera rules show {shown}`."
    wanted = {
        rule.id
        for rule in family[0].rules
        if len(alike := _alike(rule, family)) == len(family) and _required(rule, alike)
    }
    takes_stages = _has(family[0], JUDGES_CELLS)
    general = (rule for rule in rules.rules if rule.stage_id is None or not takes_stages)
    known = _ids(rule for other in family for rule in other.rules)
    if left_out := sorted(wanted - {_meant(rule.id, known) for rule in general}):
        yield Fault(("rules",), f"{rules.name} lacks the rules {', '.join(left_out)}", remedy)
    for n, rule in enumerate(rules.rules):
        alike = _alike(rule, family)
        names = _names_of_thresholds(alike)
        given = {_meant(threshold.name, names) for threshold in rule.thresholds}
        if left_out := sorted(_required(rule, alike) - given):
            what = f"rule {rule.id} lacks the thresholds {', '.join(left_out)}"
            yield Fault(("rules", n), what, remedy)


def _ids(rules: Iterable[Rule]) -> set[str]:
    return {rule.id for rule in rules}


def _names_of_thresholds(rules: Iterable[Rule]) -> set[str]:
    return {threshold.name for rule in rules for threshold in rule.thresholds}


def _alike(rule: Rule, family: list[RuleSet]) -> list[Rule]:
    return [other for rules in family for other in rules.rules if other.id == rule.id]


def _required(rule: Rule, alike: list[Rule]) -> set[str]:
    """Return the thresholds that the shipped rules of the id agree on, summed up as this one is."""
    summed_up_alike = [other for other in alike if _summary(other) == _summary(rule)]
    each = [
        {threshold.name for threshold in other.thresholds if not threshold.is_optional}
        for other in summed_up_alike or alike
    ]
    return set.intersection(*each) if each else set()


def _summary(rule: Rule) -> object:
    return next((t.value for t in rule.thresholds if t.name == SUMMARY), None)


def _nearest(wanted: str, names: Iterable[str]) -> str:
    meant = _meant(wanted, names)
    return f"Did you mean {meant}?" if meant else f"There are: {', '.join(sorted(names))}."


def _meant(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name itself where there is such a one, else the nearest."""
    return next(iter(get_close_matches(wanted, sorted(names), n=1)), None)
