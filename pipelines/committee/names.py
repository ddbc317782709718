"""Names and ids of people, read from the vault for the few outputs in which a role may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipelines.home import Home
from pipelines.identity.people import Foldings, Registry
from pipelines.intake.feeds import load_feeds
from pipelines.intake.records import active_records
from pipelines.settings import Settings


@dataclass(frozen=True)
class Known:
    """What the vault knows of one person in one role."""

    name: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """An id of the person for each name space."""


NOBODY = Known()

People = Mapping[str, Known]
"""People by their key."""


def people(home: Home, settings: Settings) -> dict[str, Known]:
    """Return everybody whom the vault knows, by key, with the name that was sent last."""
    foldings: Foldings = defaultdict(list)
    for feed in load_feeds(settings).values():
        foldings[feed.namespace.name].append(feed.namespace.folding)
    pairs = [
        (record.delivery_id, record.interpretation_id)
        for record in active_records(home)
        if record.status == "committed"
    ]
    registry = Registry(home, pairs, dict(foldings))
    names = _names(registry.people)
    found: dict[str, Known] = {}
    for person in registry.persons():
        ids: dict[str, str] = {}
        name = None
        for identity in person.identities:
            ids.setdefault(identity.namespace, identity.person_id)
            name = name or names.get((person.role, identity.namespace, identity.person_id))
        found[person.person_key] = Known(name, ids)
    return found


def _names(records: pl.DataFrame) -> dict[tuple[str, str, str], str]:
    named = (
        records.filter(pl.col("family_name").is_not_null())
        .sort("known_at", "event_id")
        .unique(("role", "namespace", "person_id"), keep="last", maintain_order=True)
        .with_columns(
            name=pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True)
        )
    )
    return {
        (role, namespace, person_id): name
        for role, namespace, person_id, name in named.select(
            "role", "namespace", "person_id", "name"
        ).iter_rows()
    }
