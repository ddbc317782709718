"""What the vault knows of people, for those who decide about identities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.home import Home
from pipelines.identity.bridge import Node, PersonSets
from pipelines.identity.decisions import (
    Decision,
    Identity,
    IdentityError,
    decide,
    decisions,
    open_holds,
)
from pipelines.identity.pseudonyms import Folding
from pipelines.identity.vault import open_keys, persons, rotate_keys

Foldings = dict[str, list[Folding]]
"""How the sources of each name space write ids."""


@dataclass(frozen=True)
class Person:
    """One person in one role, by every identity."""

    person_key: str
    role: str
    identities: tuple[Identity, ...]
    is_known: bool
    """Whether a roster names the person."""
    is_held: bool
    """Whether a legal hold forbids erasure."""


class Registry:
    """The people of a home, and what may be decided about them."""

    def __init__(
        self,
        home: Home,
        interpretations: Iterable[tuple[str, str]],
        foldings: Foldings,
        linking_events: pl.Series | None = None,
    ) -> None:
        """Read who was met.

        Args:
            home: whose vault is read.
            interpretations: the active (delivery, interpretation) pairs.
            foldings: how the sources of each name space write ids.
            linking_events: the events whose links between ids count; without it, all do.
        """
        self._home, self._foldings = home, foldings
        self.decisions = decisions(home)
        self.people = persons(home, interpretations)
        self.sets = PersonSets(self.people, linking_events=linking_events, decisions=self.decisions)
        self._met = {(n.namespace, n.person_id) for n, _, _ in self.sets.met()}

    def identity(self, text: str) -> Identity:
        """Return a written identity as the vault has it.

        Raises:
            IdentityError: it is not written as one, or no source has such a name space.
        """
        written = Identity.parse(text)
        namespaces = {namespace for namespace, _ in self._met} | self._foldings.keys()
        if written.namespace not in namespaces:
            known = ", ".join(sorted(namespaces)) or "none"
            raise IdentityError(
                f"no source has the name space {written.namespace!r}; there are: {known}"
            )
        forms = [written.person_id]
        forms += [f.fold(written.person_id) for f in self._foldings.get(written.namespace, ())]
        met = [form for form in forms if (written.namespace, form) in self._met]
        return written.model_copy(update={"person_id": (met or forms[-1:])[0]})

    def is_met(self, identity: Identity) -> bool:
        """Tell whether a record named the identity by now."""
        return (identity.namespace, identity.person_id) in self._met

    def persons(self, only: Identity | None = None) -> list[Person]:
        """Return the people, or the one whom an identity belongs to in each role."""
        wanted = self.sets.nodes_of(only) if only is not None else None
        grouped: dict[Node, list[Node]] = defaultdict(list)
        for node in self.sets.nodes():
            grouped[self.sets.earliest(node)].append(node)
        chosen = set(grouped) if wanted is None else {self.sets.earliest(n) for n in wanted}
        keys = open_keys(self._home)
        held = {i for hold in open_holds(self.decisions) for i in hold.identities}
        found = []
        for first in sorted(chosen):
            identities = tuple(self._as_identity(node) for node in grouped[first])
            found.append(
                Person(
                    person_key=self.sets.person_key(first, keys),
                    role=first.role,
                    identities=identities,
                    is_known=self.sets.is_known(first),
                    is_held=any(i.model_copy(update={"on": None}) in held for i in identities),
                )
            )
        return found

    def ids_in(self, namespace: str) -> dict[str, str]:
        """Return one id in a name space for every person who has one there, by the person's key.

        An id that was given to somebody else later does not count: on another day it is another
        person.
        """
        found: dict[str, str] = {}
        for person in self.persons():
            own = [i.person_id for i in person.identities if i.namespace == namespace and not i.on]
            if own:
                found[person.person_key] = own[0]
        return found

    def names(self) -> dict[str, str]:
        """Return the name of every person whom a record names, by the person's key."""
        keys = open_keys(self._home)
        described = self.people.filter(pl.col("event_id").is_not_null()).sort("known_at")
        found: dict[str, str] = {}
        for row in described.iter_rows(named=True):
            name = " ".join(part for part in (row["given_name"], row["family_name"]) if part)
            if name:
                found[self.sets.person_key(self.sets.node_of(row), keys)] = name
        return found

    def identities_of(self, identity: Identity) -> list[Identity]:
        """Return every identity of a person, in any role, the given one first."""
        found = [identity.model_copy(update={"on": None})]
        for person in self.persons(identity):
            found += [item.model_copy(update={"on": None}) for item in person.identities]
        return list(dict.fromkeys(found))

    def merge(self, identities: Sequence[Identity], by: str, reason: str) -> Decision:
        """Decide that identities are one person.

        Raises:
            IdentityError: there are not two different ones.
        """
        if len(set(identities)) < 2:
            raise IdentityError("name two different identities: tessera identity merge A B")
        return decide(self._home, "merge", identities, by=by, reason=reason)

    def split(self, identities: Sequence[Identity], by: str, reason: str) -> Decision:
        """Decide that identities are another person than those they are connected with.

        Raises:
            IdentityError: they are connected with nobody else.
        """
        group = {(item.namespace, item.person_id) for item in identities}
        members = {
            (node.namespace, node.person_id)
            for item in identities
            for found in self.sets.nodes_of(item)
            for node in self.sets.members(found)
        }
        if not members - group:
            shown = ", ".join(item.masked for item in identities)
            raise IdentityError(f"{shown} is connected with nobody else: there is nothing to split")
        return decide(self._home, "split", identities, by=by, reason=reason)

    def reuse(self, identity: Identity, from_day: date, by: str, reason: str) -> Decision:
        """Decide that an id means another person from a day on."""
        plain = identity.model_copy(update={"on": None})
        return decide(self._home, "reuse", [plain], by=by, reason=reason, from_day=from_day)

    def hold(self, identity: Identity, by: str, reason: str) -> Decision:
        """Decide that nothing of a person may be erased."""
        return decide(self._home, "hold", self.identities_of(identity), by=by, reason=reason)

    def release(self, identity: Identity, by: str, reason: str) -> Decision:
        """Lift a legal hold.

        Raises:
            IdentityError: there is none.
        """
        own = set(self.identities_of(identity))
        held = {i for hold in open_holds(self.decisions) for i in hold.identities} & own
        if not held:
            raise IdentityError(f"{identity.masked} is under no legal hold")
        return decide(self._home, "release", sorted(held, key=str), by=by, reason=reason)

    def holds_on(self, identities: Iterable[Identity]) -> list[Decision]:
        """Return the legal holds on a person."""
        own = {item.model_copy(update={"on": None}) for item in identities}
        return [hold for hold in open_holds(self.decisions) if own & set(hold.identities)]

    def _as_identity(self, node: Node) -> Identity:
        begins, ends = self.sets.validity(node)
        on = begins or ends
        return Identity(namespace=node.namespace, person_id=node.person_id, on=on)


def rotate(home: Home, by: str, reason: str) -> Decision:
    """Make a new key for pseudonyms; people and their keys stay the same.

    Raises:
        UnnamedError: nobody answers for it, or no reason is given.
    """
    generation = open_keys(home).generation + 1
    decision = decide(home, "rotate", by=by, reason=reason, details={"generation": generation})
    rotate_keys(home)
    return decision
