"""Counts that give nobody away, not by subtraction either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

OTHER = "other"


@dataclass(frozen=True)
class GroupCounts:
    """How many learners of one group a row counts."""

    row: int
    """Which row it is."""
    group: Hashable
    counts: tuple[int, ...]
    """All its counts that are not 0."""
    wholes: tuple[int, ...] = ()
    """Of these, the counts of all its learners or, where it is split, of all of the part."""
    part: str | None = None
    """Which part of the group it is about; None for all together."""


def told_by_difference(told: Iterable[GroupCounts], least: int) -> set[int]:
    """Return the rows that tell, less others, of too few learners.

    A count that is a little smaller than that of all learners of its group tells how few are left.
    Parts that do not overlap all go where those that may show leave too few of all together.

    Args:
        told: what the rows of all tables count; a row may count learners of several groups.
        least: as many learners as a difference must be about.
    """
    groups: dict[Hashable, list[GroupCounts]] = defaultdict(list)
    for counted in told:
        groups[counted.group].append(counted)
    return {row for group in groups.values() for row in _told_by_difference(group, least)}


def _told_by_difference(group: list[GroupCounts], least: int) -> set[int]:
    whole = max((n for c in group if c.part is None for n in c.wholes), default=0)
    parts = {c.part: max(c.wholes) for c in group if c.part is not None and c.wholes}
    shown = sum(n for n in parts.values() if n >= least)
    together = max((n for c in group if c.part is None for n in c.counts), default=0)
    all_parts_go = bool(parts) and 0 < together - shown < least
    return {
        counted.row
        for counted in group
        if any(0 < whole - n < least for n in counted.counts)
        or (all_parts_go and counted.part is not None)
    }


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
