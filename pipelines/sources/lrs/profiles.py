"""What Learning Record Stores do: as the specification has it, or in ways of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Since = Literal["stored", "timestamp"]


@dataclass(frozen=True)
class Profile:
    """One kind of store, and what may be relied on."""

    name: str
    since_on: Since
    """What `since` compares: when a statement was stored, or when the experience was."""
    reconcile_every: timedelta
    """How often everything is asked for again, whatever is known."""


PROFILES = {
    "standard": Profile("standard", "stored", timedelta(days=30)),
    "ralph": Profile("ralph", "timestamp", timedelta(days=1)),
}
"""Ralph compares `since` with the time of the experience and sends no Consistent-Through: a late
statement about an earlier day is found only by asking for everything, so that is done daily."""
