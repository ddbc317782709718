"""Deliveries in batches of about equal bytes, so that few tasks do much work."""

from __future__ import annotations

from pipelines.home import Home
from pipelines.intake.records import first_receipt

WORTH_A_TASK = 32 * 1024 * 1024
"""Bytes: below this, starting another task costs more than it saves."""


def plan(
    home: Home, delivery_ids: list[str], limit: int = 16, worth: int = WORTH_A_TASK
) -> list[list[str]]:
    """Return at most `limit` batches, each with its deliveries in order.

    There is at most one batch for each `worth` bytes begun. The biggest deliveries are dealt out
    first, each to the lightest batch so far.
    """
    sizes = {item: first_receipt(home, item).bytes for item in dict.fromkeys(delivery_ids)}
    begun = 1 + sum(sizes.values()) // worth
    batches: list[list[str]] = [[] for _ in range(min(limit, len(sizes), begun))]
    weights = [0] * len(batches)
    for item in sorted(sizes, key=lambda item: (-sizes[item], item)):
        lightest = weights.index(min(weights))
        batches[lightest].append(item)
        weights[lightest] += sizes[item] + 1
    return [sorted(batch) for batch in batches]
