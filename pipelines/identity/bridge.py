"""The bridge from pseudonyms to persons: connected identities are one person.

The person's key comes from the earliest identity of the connected set by one total order, so that
the bridge depends on what is known and not on the order in which it was worked through, and a key
stays when a later id is linked to an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from pipelines.home import Home
from pipelines.identity.vault import Keys, open_keys, persons

IDENTITY_SCHEMA: dict[str, pl.DataType] = {
    "pseudonym": pl.String(),
    "namespace_id": pl.String(),
    "role": pl.String(),
    "person_key": pl.String(),
    "known_at": pl.Datetime("us", "UTC"),
}
"""The columns of `raw.identity`."""

_Identity = tuple[str, str, str]


def bridge(
    home: Home,
    interpretations: Iterable[tuple[str, str]],
    *,
    known_at: datetime | None = None,
    linking_events: pl.Series | None = None,
    known_earlier: Mapping[str, tuple[datetime, datetime]] | None = None,
) -> pl.DataFrame:
    """Return `raw.identity`: one row per pseudonym and role.

    Args:
        home: the home whose vault is read.
        interpretations: the active (delivery, interpretation) pairs.
        known_at: leave out what was known only later.
        linking_events: the `event_id`s whose links count (those accepted at present); without
            it, every record's links do.
        known_earlier: deliveries that were known earlier than is written down, see `persons`.
    """
    people = persons(home, interpretations, known_earlier)
    if known_at is not None:
        people = people.filter(pl.col("known_at") <= known_at)
    return connect(people, open_keys(home), linking_events=linking_events)


def connect(
    people: pl.DataFrame, keys: Keys, *, linking_events: pl.Series | None = None
) -> pl.DataFrame:
    """Return the bridge of the given rows of the vault."""
    identities = (
        people.group_by("role", "namespace", "person_id", "pseudonym")
        .agg(pl.col("known_at").min())
        .sort("role", "known_at", "namespace", "person_id")
    )
    linking = people.filter(pl.col("links").list.len() > 0)
    if linking_events is not None:
        linking = linking.filter(pl.col("event_id").is_in(linking_events.implode()))
    links = linking.select("role", "namespace", "person_id", "links").explode("links").unique()
    connected = _Connected(identities, links)
    return identities.select(
        "pseudonym",
        pl.col("namespace").alias("namespace_id"),
        "role",
        pl.Series(
            "person_key",
            [keys.person_key_of(*connected.earliest(row)) for row in _identities(identities)],
            dtype=pl.String,
        ),
        "known_at",
    ).sort("role", "namespace_id", "pseudonym")


def _identities(frame: pl.DataFrame) -> list[_Identity]:
    rows: list[_Identity] = frame.select("role", "namespace", "person_id").rows()
    return rows


class _Connected:
    """Sets of identities that links join, each represented by its earliest one."""

    def __init__(self, identities: pl.DataFrame, links: pl.DataFrame) -> None:
        self._rank = {row: rank for rank, row in enumerate(_identities(identities))}
        self._parent: dict[_Identity, _Identity] = {}
        for role, namespace, person_id, other in links.rows():
            self._join((role, namespace, person_id), (role, other["namespace"], other["person_id"]))

    def earliest(self, identity: _Identity) -> _Identity:
        """Return the earliest identity that this one is connected with."""
        path = []
        while (parent := self._parent.get(identity, identity)) != identity:
            path.append(identity)
            identity = parent
        for visited in path:
            self._parent[visited] = identity
        return identity

    def _join(self, one: _Identity, other: _Identity) -> None:
        low, high = sorted((self.earliest(one), self.earliest(other)), key=self._order)
        if low != high:
            self._parent[high] = low

    def _order(self, identity: _Identity) -> tuple[float, _Identity]:
        return self._rank.get(identity, float("inf")), identity
