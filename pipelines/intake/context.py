"""What all records of one delivery share when they are judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pipelines.home import Home
from pipelines.identity.pseudonyms import Namespace
from pipelines.identity.tombstones import Tombstone, by_content
from pipelines.identity.vault import Keys, open_keys
from pipelines.intake.feeds import Feed
from pipelines.intake.identifiers import NOTHING, Identifiers
from pipelines.intake.records import first_receipt


@dataclass(frozen=True)
class Context:
    """What all records of one delivery share."""

    delivery_id: str
    interpretation_id: str
    source_id: str
    owner: str
    record_scope: str
    namespace: Namespace
    known_at: datetime
    keys: Keys
    identifiers: Identifiers = NOTHING
    erased: dict[str, Tombstone] = field(default_factory=dict, hash=False)
    """The tombstone behind each erased id, by what stands for the id in content hashes."""


def context_of(home: Home, feed: Feed, delivery_id: str) -> Context:
    """Return what holds for the records of a delivery now."""
    return Context(
        delivery_id=delivery_id,
        interpretation_id=feed.interpretation_id,
        source_id=feed.source_id,
        owner=feed.owner,
        record_scope=feed.record_scope,
        namespace=feed.namespace,
        known_at=first_receipt(home, delivery_id).known_at,
        keys=open_keys(home),
        identifiers=feed.identifiers,
        erased=by_content(home),
    )
