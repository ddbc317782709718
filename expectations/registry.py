"""How suites are made and found: a suite is data to look at and promises about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.outcome import Severity


@dataclass(frozen=True)
class Suite:
    """A query, and what its rows promise."""

    name: str
    query: str
    expectations: tuple[Expectation, ...]
    is_summed_up: bool = False
    """Whether the query gives few rows of many: it is run once, not once for each look at it."""


def promise(
    expectation: type[Expectation],
    *,
    rule: str,
    severity: Severity,
    owner: str,
    broken: str,
    words: str,
    **arguments: Any,
) -> Expectation:
    """Return an expectation that says who answers for it.

    Args:
        expectation: the kind of expectation.
        rule: an id that is unique over all suites.
        severity: what breaking it leads to.
        owner: who sees to it.
        broken: the sentence for people when it is broken, with `{observed}`, `{unexpected}` and
            `{n}` where numbers belong.
        words: what is promised, shown in Data Docs.
        arguments: those of the expectation.
    """
    return expectation(
        severity=FailureSeverity(severity),
        description=words,
        meta={"rule": rule, "owner": owner, "broken": broken, "words": words},
        **arguments,
    )
