"""Deliveries in batches of about equal bytes, so that few tasks do much work."""

from __future__ import annotations

from pipelines.home import Home
from pipelines.intake.records import first_receipt


def plan(home: Home, delivery_ids: list[str], limit: int = 16) -> list[list[str]]:
    """Return at most `limit` batches, each with its deliveries in order.

    The biggest deliveries are dealt out first, each to the lightest batch so far.
    """
    sizes = {item: first_receipt(home, item).bytes for item in dict.fromkeys(delivery_ids)}
    batches: list[list[str]] = [[] for _ in range(min(limit, len(sizes)))]
    weights = [0] * len(batches)
    for item in sorted(sizes, key=lambda item: (-sizes[item], item)):
        lightest = weights.index(min(weights))
        batches[lightest].append(item)
        weights[lightest] += sizes[item] + 1
    return [sorted(batch) for batch in batches]
