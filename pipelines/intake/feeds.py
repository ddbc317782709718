"""What intake needs to know of a source, taken from its spec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pipelines.identity.people import Foldings
from pipelines.identity.pseudonyms import Folding, Namespace
from pipelines.intake.identifiers import NOTHING, Identifiers, identifiers_of
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.sources.catalogue import Catalogue
    from pipelines.sources.spec import SourceSpec


@dataclass(frozen=True)
class Feed:
    """A source as intake sees it, under the present version of its spec."""

    source_id: str
    owner: str
    interpretation_id: str
    inbox_folder: str
    takes: Callable[[str], bool]
    """Tells whether a file, named relative to the inbox, is one of this source."""
    namespace: Namespace
    record_scope: str
    known_at_from_manifest: bool = False
    spec_version: str = ""
    on_change: Literal["version", "conflict"] = "version"
    snapshot: Literal["append", "full"] = "append"
    vanished: Literal["keep", "withdraw"] = "keep"
    min_snapshot_share: float = 0.0
    waits_for_roster: bool = False
    min_match_share: float | None = None
    max_days_ahead: float | None = None
    identifiers: Identifiers = NOTHING


Feeds = dict[str, Feed]


def foldings(feeds: Feeds) -> Foldings:
    """Return how the sources of each name space write ids."""
    found: Foldings = {}
    for feed in feeds.values():
        found.setdefault(feed.namespace.name, []).append(feed.namespace.folding)
    return found


def load_feeds(settings: Settings) -> Feeds:
    """Return every source by its id."""
    from pipelines.sources import catalogue

    return dict(feeds_of(catalogue.load(settings)))


@lru_cache(maxsize=4)
def feeds_of(catalogue: Catalogue) -> Feeds:
    """Return the feeds of a catalogue, which is loaded once for each state of its files."""
    return {name: feed_of(spec, catalogue) for name, spec in catalogue.sources.items()}


def feed_of(spec: SourceSpec, catalogue: Catalogue) -> Feed:
    """Return a spec as intake sees it."""
    from pipelines.sources.interpretation import interpretation_id, spec_version

    folding = Folding(spec.person_ids.fold_case, spec.person_ids.strip_leading_zeros)
    return Feed(
        source_id=spec.source,
        owner=spec.owner,
        interpretation_id=interpretation_id(spec, catalogue),
        spec_version=spec_version(spec),
        inbox_folder=spec.inbox_folder,
        takes=spec.takes,
        namespace=Namespace(spec.namespace, folding),
        record_scope=spec.scope,
        known_at_from_manifest=spec.known_at.from_ == "manifest",
        on_change=spec.on_change,
        snapshot=spec.snapshot,
        vanished=spec.vanished,
        min_snapshot_share=spec.gates.min_snapshot_share,
        waits_for_roster=catalogue.waits_for_roster(spec),
        min_match_share=spec.gates.min_match_share,
        max_days_ahead=spec.gates.max_days_ahead,
        identifiers=identifiers_of(spec, catalogue.codes["identifiers"]),
    )


def source_of(delivery_id: str) -> str:
    """Return the source that a delivery came from."""
    return delivery_id.rpartition("-")[0]
