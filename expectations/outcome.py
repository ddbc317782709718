"""What came of a promise, in a form that needs no Great Expectations to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]
Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One promise, and whether it was kept.

    Attributes:
        rule: the id of the promise.
        suite: the suite that it belongs to.
        is_kept: whether the data keep it.
        severity: what a broken promise leads to: `critical` stops, `warning` is told, `info` is
            noted.
        owner: who sees to it.
        sentence: what was found, in words; of the values of records, only what names no person.
    """

    rule: str
    suite: str
    is_kept: bool
    severity: Severity
    owner: str
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON."""
        return asdict(self)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return what the broken promises amount to: one critical is enough to fail."""
    broken = {finding.severity for finding in findings if not finding.is_kept}
    if "critical" in broken:
        return "fail"
    return "warn" if "warning" in broken else "pass"


def gravest(findings: Iterable[Finding]) -> Finding | None:
    """Return the first broken critical promise, or None."""
    return next((f for f in findings if not f.is_kept and f.severity == "critical"), None)
