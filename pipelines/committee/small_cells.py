"""Counts that give nobody away, not by subtraction either."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "other"


def folded(counts: Mapping[str, int], least: int) -> dict[str, int] | None:
    """Return counts in which no cell is below the least; small cells are folded into one.

    Where what is folded is itself too small, the next smallest cell joins it: the folded cell
    hides at least two, so that no total gives one of them away. A table whose sum is below the
    least, or of which only one cell could be hidden, says nothing at all.

    Args:
        counts: how many there are of each.
        least: as many as a cell must hold to be shown.

    Returns:
        The counts to show, largest first, `other` last; None where nothing may be shown.
    """
    there = {label: n for label, n in counts.items() if n > 0}
    if sum(there.values()) < least:
        return None
    by_size = sorted(there, key=lambda label: (-there[label], label))
    hidden: list[str] = [label for label in by_size if there[label] < least]
    shown = [label for label in by_size if there[label] >= least]
    while hidden and (sum(there[label] for label in hidden) < least or len(hidden) < 2):
        if not shown:
            return None
        hidden.append(shown.pop())
    told = {label: there[label] for label in shown}
    return told | ({OTHER: sum(there[label] for label in hidden)} if hidden else {})
