"""Names and ids of people, read from the vault for the few outputs in which a role may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.home import Home
from pipelines.identity.people import Registry
from pipelines.intake.feeds import foldings, load_feeds
from pipelines.intake.people import known_people
from pipelines.settings import Settings


@dataclass(frozen=True)
class People:
    """Who has which id in the name space of one source, and what they are called."""

    namespace: str
    ids: dict[str, str]
    """By the key of the person."""
    names: dict[str, str]
    """By the key of the person; those only whom a record names."""

    def label(self, person_key: str) -> str | None:
        """Return how a form writes a person: the name, where there is one, and the id."""
        written = self.ids.get(person_key)
        if written is None:
            return None
        name = self.names.get(person_key)
        return written if name is None else f"{name} [{written}]"


@dataclass(frozen=True)
class Known:
    """What the vault knows of one person in one role."""

    name: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """An id of the person for each name space."""


NOBODY = Known()

Everybody = Mapping[str, Known]
"""People by their key."""


def open_registry(home: Home, settings: Settings) -> Registry:
    """Return what the vault knows of people, by all that was read up to now."""
    return known_people(home, foldings(load_feeds(settings)))


def people_of(home: Home, settings: Settings, namespace: str) -> People:
    """Return the people who have an id in a name space."""
    registry = open_registry(home, settings)
    return People(namespace, registry.ids_in(namespace), registry.names())


def everybody(home: Home, settings: Settings) -> dict[str, Known]:
    """Return everybody whom the vault knows, by key, with the name that was sent last."""
    registry = open_registry(home, settings)
    names = registry.names()
    found: dict[str, Known] = {}
    for person in registry.persons():
        ids: dict[str, str] = {}
        for identity in person.identities:
            ids.setdefault(identity.namespace, identity.person_id)
        found[person.person_key] = Known(names.get(person.person_key), ids)
    return found
