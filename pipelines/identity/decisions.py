"""What people decided about identities: append-only records in the vault.

A decision is never changed. Another one, made later, may say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import PRIVATE, Home, write_atomically
from pipelines.identity.named import named, reasoned

Action = Literal["merge", "split", "reuse", "rotate", "hold", "release", "erase"]

_DATED = re.compile(r"^(?P<id>.+)@(?P<day>\d{4}-\d{2}-\d{2})$")


class IdentityError(Exception):
    """A decision cannot be taken; the message says why and what to do."""


class Identity(BaseModel):
    """One id in its name space; `on` picks the person who had a re-used id on that day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    person_id: str
    on: date | None = None

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Return the identity written as `NAMESPACE:ID` or `NAMESPACE:ID@YYYY-MM-DD`.

        Raises:
            IdentityError: it is not written so.
        """
        namespace, colon, rest = text.strip().partition(":")
        if not (namespace and colon and rest):
            raise IdentityError(
                f"{text!r} is no identity: write NAMESPACE:ID, such as student_number:0042 "
                "(the name space is `person_namespace` of the source spec)"
            )
        dated = _DATED.match(rest)
        if dated is None:
            return cls(namespace=namespace, person_id=rest)
        try:
            day = date.fromisoformat(dated["day"])
        except ValueError:
            raise IdentityError(f"{dated['day']} is no day of the calendar") from None
        return cls(namespace=namespace, person_id=dated["id"], on=day)

    def __str__(self) -> str:
        """Return the identity as it is written."""
        return f"{self.namespace}:{self.person_id}" + (f"@{self.on}" if self.on else "")

    @property
    def masked(self) -> str:
        """Return the identity as it may be shown outside the vault."""
        return f"{self.namespace}:{mask_id(self.person_id)}"


class Decision(BaseModel):
    """Who decided what about which identities, when and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    identities: tuple[Identity, ...] = ()
    from_day: date | None = None
    """From when a re-used id means another person."""
    by: str
    reason: str
    decided_at: AwareDatetime
    details: dict[str, Any] = {}

    @property
    def decision_id(self) -> str:
        """Return the name of the decision: a hash of what it says."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    @property
    def order(self) -> tuple[datetime, str]:
        """Return the place of the decision in the one order of all decisions."""
        return self.decided_at, self.decision_id

    def to_bytes(self) -> bytes:
        """Return the decision as it is stored."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return text.encode() + b"\n"


def mask_id(person_id: str) -> str:
    """Return an id of which only length and last character can be seen."""
    return "•" * max(len(person_id) - 1, 3) + person_id[-1]


def folder(home: Home) -> Path:
    """Return where decisions are kept."""
    return home.vault / "decisions"


def decide(
    home: Home,
    action: Action,
    identities: Iterable[Identity] = (),
    *,
    by: str,
    reason: str,
    from_day: date | None = None,
    details: dict[str, Any] | None = None,
    decided_at: datetime | None = None,
) -> Decision:
    """Put a decision on record.

    Raises:
        UnnamedError: nobody answers for it, or no reason is given.
    """
    decision = Decision(
        action=action,
        identities=tuple(identities),
        from_day=from_day,
        by=named(by),
        reason=reasoned(reason),
        decided_at=decided_at or datetime.now(UTC),
        details=details or {},
    )
    write_decision(home, decision)
    return decision


def write_decision(home: Home, decision: Decision) -> Path:
    """Add a decision to the vault."""
    stamp = decision.decided_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    path = folder(home) / f"{stamp}-{decision.decision_id}.json"
    write_atomically(path, decision.to_bytes(), PRIVATE)
    return path


def decisions(home: Home, known_at: datetime | None = None) -> list[Decision]:
    """Return every decision in order, those taken by `known_at` where it is given."""
    found = [
        Decision.model_validate_json(path.read_bytes()) for path in folder(home).glob("*.json")
    ]
    return sorted(
        (d for d in found if known_at is None or d.decided_at <= known_at), key=lambda d: d.order
    )


def open_holds(taken: Iterable[Decision]) -> list[Decision]:
    """Return the legal holds that nobody has released."""
    standing: dict[Identity, Decision] = {}
    for decision in taken:
        for identity in decision.identities:
            plain = identity.model_copy(update={"on": None})
            if decision.action == "hold":
                standing[plain] = decision
            elif decision.action == "release":
                standing.pop(plain, None)
    return sorted(set_of(standing.values()), key=lambda d: d.order)


def set_of(found: Iterable[Decision]) -> list[Decision]:
    """Return decisions without repeats."""
    return list({decision.decision_id: decision for decision in found}.values())
