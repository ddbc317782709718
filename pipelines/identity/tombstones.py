"""What is left of an erased person: a mark by which their ids are known again, and no id.

A tombstone holds keyed hashes of the ids. Records that name the person later are refused, and
where the person only assessed others, the tombstone's own id stands in their place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.home import PRIVATE, Home, write_atomically
from pipelines.identity.decisions import Identity
from pipelines.identity.vault import Keys

NAMESPACE = "erased"


@dataclass(frozen=True)
class Tombstone:
    """One erasure."""

    erasure_id: str
    contents: frozenset[str]
    """What stands for the ids in content hashes."""

    @property
    def person_id(self) -> str:
        """Return the id that stands where the person's stood."""
        return f"{NAMESPACE}-{self.erasure_id}"

    def pseudonym(self, keys: Keys) -> str:
        """Return the pseudonym of that id."""
        return keys.pseudonym_of(NAMESPACE, self.person_id)


def write_tombstone(
    home: Home, erasure_id: str, identities: Iterable[Identity], keys: Keys
) -> Tombstone:
    """Put up the tombstone of a person."""
    contents = sorted(keys.content_of(i.namespace, i.person_id) for i in identities)
    path = home.vault / "tombstones" / f"{erasure_id}.json"
    write_atomically(path, json.dumps({"contents": contents}).encode() + b"\n", PRIVATE)
    return Tombstone(erasure_id, frozenset(contents))


def tombstones(home: Home) -> list[Tombstone]:
    """Return every tombstone."""
    return [
        Tombstone(path.stem, frozenset(json.loads(path.read_bytes())["contents"]))
        for path in sorted((home.vault / "tombstones").glob("*.json"))
    ]


def by_content(home: Home) -> dict[str, Tombstone]:
    """Return the tombstone behind each erased id, by what stands for the id in content hashes."""
    return {content: stone for stone in tombstones(home) for content in stone.contents}
