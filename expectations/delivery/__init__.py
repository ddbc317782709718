"""What a delivery promises: one suite on the delivery as a whole, and one for each kind of record.

Rules of single records stand in the contracts and are not repeated here; these are promises that
only show when records are seen together. Limits that a source spec declares come with the
`Delivery`; the others are local choices, written beside the rule.
"""

from __future__ import annotations

from expectations.delivery import committee, evidence, people, programme  # noqa: F401 - they register
from expectations.delivery.model import SUITES, Delivery
from expectations.delivery.whole import whole
from expectations.registry import Suite

__all__ = ["SUITES", "Delivery", "suites"]


def suites(delivery: Delivery) -> list[Suite]:
    """Return every suite that a delivery is held to."""
    return [whole(delivery), *(SUITES[kind](delivery) for kind in sorted(delivery.accepted))]
