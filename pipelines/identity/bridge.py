"""The bridge from pseudonyms to persons: connected identities are one person.

What connects identities is what rosters state (`other_ids`) and what people decided: merges and
splits. An id that was given to another person is cut into stretches by day. The person's key comes
from the earliest identity of the connected set by one total order, so that the bridge depends on
what is known and not on the order in which it was worked through, and a key stays when a later id
is linked to an earlier one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipelines.home import Home
from pipelines.identity.decisions import Decision, Identity, decisions
from pipelines.identity.vault import Keys, open_keys, persons

IDENTITY_SCHEMA: dict[str, pl.DataType] = {
    "pseudonym": pl.String(),
    "namespace_id": pl.String(),
    "role": pl.String(),
    "person_key": pl.String(),
    "known_at": pl.Datetime("us", "UTC"),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "is_known": pl.Boolean(),
}
"""The columns of `raw.identity`. `valid_from` and `valid_to` are the first and the last day on
which the id meant this person, empty where it always did; `is_known` says that a roster names the
person."""


class Node(NamedTuple):
    """One identity in one role, during one stretch of days."""

    role: str
    namespace: str
    person_id: str
    stretch: int = 0


_Pair = tuple[Node, Node]


def bridge(
    home: Home,
    interpretations: Iterable[tuple[str, str]],
    *,
    known_at: datetime | None = None,
    linking_events: pl.Series | None = None,
    known_earlier: Mapping[str, tuple[datetime, datetime]] | None = None,
) -> pl.DataFrame:
    """Return `raw.identity`: one row per pseudonym, role and stretch of validity.

    Args:
        home: the home whose vault is read.
        interpretations: the active (delivery, interpretation) pairs.
        known_at: leave out what was known, or decided, only later.
        linking_events: the `event_id`s whose links count (those accepted at present); without
            it, every record's links do.
        known_earlier: deliveries that were known earlier than is written down, see `persons`.
    """
    people = persons(home, interpretations, known_earlier)
    if known_at is not None:
        people = people.filter(pl.col("known_at") <= known_at)
    return connect(
        people,
        open_keys(home),
        linking_events=linking_events,
        decisions=decisions(home, known_at),
    )


def connect(
    people: pl.DataFrame,
    keys: Keys,
    *,
    linking_events: pl.Series | None = None,
    decisions: Sequence[Decision] = (),
) -> pl.DataFrame:
    """Return the bridge of the given rows of the vault under the given decisions.

    Most people have one id that nobody links or decides about: they are told set-wise.
    """
    named = _named_anywhere(people, decisions)
    alone = people.join(named, on=["namespace", "person_id"], how="anti")
    sets = PersonSets(
        people.join(named, on=["namespace", "person_id"], how="semi"),
        linking_events=linking_events,
        decisions=decisions,
    )
    rows = [
        (
            pseudonym,
            node.namespace,
            node.role,
            sets.person_key(node, keys),
            known_at,
            *sets.validity(node),
            sets.is_known(node),
        )
        for node, pseudonym, known_at in sets.met()
    ]
    joined = pl.DataFrame(rows, schema=IDENTITY_SCHEMA, orient="row")
    return pl.concat([_alone(alone, keys), joined]).sort(
        "role", "namespace_id", "pseudonym", "valid_from", nulls_last=False
    )


def _named_anywhere(people: pl.DataFrame, taken: Sequence[Decision]) -> pl.DataFrame:
    """Return the ids that a link or a decision names."""
    linking = people.filter(pl.col("links").list.len() > 0)
    decided = [(item.namespace, item.person_id) for d in taken for item in d.identities]
    ids = ["namespace", "person_id"]
    return pl.concat(
        [
            linking.select(ids),
            linking.select("links").explode("links").unnest("links").select(ids),
            pl.DataFrame(decided, schema=dict.fromkeys(ids, pl.String), orient="row"),
        ]
    ).unique()


def _alone(people: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """Return the bridge of people with one id each."""
    person = ["role", "namespace", "person_id"]
    met = (
        people.with_columns(is_known=pl.col("event_id").is_not_null().any().over(person))
        .group_by(*person, "pseudonym")
        .agg(pl.col("known_at").min(), pl.col("is_known").first())
    )
    person_keys = [keys.person_key_of(*row) for row in met.select(person).iter_rows()]
    return met.select(
        "pseudonym",
        pl.col("namespace").alias("namespace_id"),
        "role",
        pl.Series("person_key", person_keys, dtype=pl.String),
        "known_at",
        pl.lit(None, pl.Date).alias("valid_from"),
        pl.lit(None, pl.Date).alias("valid_to"),
        "is_known",
    )


class PersonSets:
    """Sets of identities that are one person, each represented by its earliest one."""

    def __init__(
        self,
        people: pl.DataFrame,
        *,
        linking_events: pl.Series | None = None,
        decisions: Sequence[Decision] = (),
    ) -> None:
        self._starts = _stretches(decisions)
        self._identities = (
            people.group_by("role", "namespace", "person_id", "pseudonym")
            .agg(pl.col("known_at").min())
            .sort("role", "known_at", "namespace", "person_id", "pseudonym")
        )
        self._first: dict[Node, datetime] = {}
        for node, _, known_at in self.met():
            self._first.setdefault(node, max(known_at, self._start(node)))
        ranked = sorted(self._first, key=lambda node: (node.role, self._first[node], node))
        self._rank = {node: rank for rank, node in enumerate(ranked)}
        self._parent: dict[Node, Node] = {}
        for one, other in self._pairs(people, linking_events, decisions):
            self._join(one, other)
        described = people.filter(pl.col("event_id").is_not_null())
        self._known = {self.earliest(node) for node in self._nodes_of(described)}

    def met(self) -> Iterator[tuple[Node, str, datetime]]:
        """Yield every stretch of every identity with its pseudonym and when it was first met."""
        for role, namespace, person_id, pseudonym, known_at in self._identities.rows():
            for stretch in range(len(self._starts.get((namespace, person_id), ())) + 1):
                yield Node(role, namespace, person_id, stretch), pseudonym, known_at

    def person_key(self, node: Node, keys: Keys) -> str:
        """Return the key of the person whom an identity belongs to."""
        first = self.earliest(node)
        return keys.person_key_of(first.role, first.namespace, self._dated_id(first))

    def validity(self, node: Node) -> tuple[date | None, date | None]:
        """Return the first and last day of a stretch, None where it is open."""
        starts = self._starts.get((node.namespace, node.person_id), ())
        begins = starts[node.stretch - 1] if node.stretch else None
        ends = starts[node.stretch] - timedelta(days=1) if node.stretch < len(starts) else None
        return begins, ends

    def is_known(self, node: Node) -> bool:
        """Tell whether a roster names the person."""
        return self.earliest(node) in self._known

    def nodes(self) -> list[Node]:
        """Return every identity that was met, in order."""
        return sorted(self._rank, key=self._order)

    def members(self, node: Node) -> list[Node]:
        """Return every identity of the person, the earliest first."""
        first = self.earliest(node)
        return sorted(
            (other for other in self._rank if self.earliest(other) == first), key=self._order
        )

    def nodes_of(self, identity: Identity) -> list[Node]:
        """Return the stretches of an identity that were met, in every role: all, or the one."""
        return [
            node
            for node in self._rank
            if (node.namespace, node.person_id) == (identity.namespace, identity.person_id)
            and (identity.on is None or node.stretch == self._stretch_on(*node[1:3], identity.on))
        ]

    def node_of(self, row: Mapping[str, Any]) -> Node:
        """Return the identity that a row of the vault is about."""
        day = row["known_at"].date()
        return self._node(row["role"], row["namespace"], row["person_id"], day)

    def earliest(self, node: Node) -> Node:
        """Return the earliest identity that this one is connected with."""
        path = []
        while (parent := self._parent.get(node, node)) != node:
            path.append(node)
            node = parent
        for visited in path:
            self._parent[visited] = node
        return node

    def _pairs(
        self, people: pl.DataFrame, linking_events: pl.Series | None, taken: Sequence[Decision]
    ) -> Iterator[_Pair]:
        """Yield what connects two identities and was not cut by a split."""
        splits = [(d.order, self._named(d)) for d in taken if d.action == "split"]
        for one, other in self._links(people, linking_events):
            if not any(_is_cut(one, other, apart) for _, apart in splits):
                yield one, other
        for decision in taken:
            if decision.action != "merge":
                continue
            later = [apart for order, apart in splits if order > decision.order]
            for one, other in _all_pairs(self._named(decision)):
                if not any(_is_cut(one, other, apart) for apart in later):
                    yield one, other

    def _links(self, people: pl.DataFrame, linking_events: pl.Series | None) -> Iterator[_Pair]:
        linking = people.filter(pl.col("links").list.len() > 0)
        if linking_events is not None:
            linking = linking.filter(pl.col("event_id").is_in(linking_events.implode()))
        columns = ("role", "namespace", "person_id", "known_at", "links")
        for role, namespace, person_id, known_at, other in (
            linking.select(columns).explode("links").unique().rows()
        ):
            day = known_at.date()
            yield (
                self._node(role, namespace, person_id, day),
                self._node(role, other["namespace"], other["person_id"], day),
            )

    def _named(self, decision: Decision) -> frozenset[Node]:
        """Return the identities that a decision is about, in every role."""
        day = decision.decided_at.date()
        return frozenset(
            self._node(role, item.namespace, item.person_id, item.on or day)
            for item in decision.identities
            for role in ("assessor", "learner")
        )

    def _nodes_of(self, described: pl.DataFrame) -> set[Node]:
        columns = ("role", "namespace", "person_id", pl.col("known_at").dt.date())
        return {self._node(*row) for row in described.select(columns).unique().rows()}

    def _node(self, role: str, namespace: str, person_id: str, day: date) -> Node:
        return Node(role, namespace, person_id, self._stretch_on(namespace, person_id, day))

    def _stretch_on(self, namespace: str, person_id: str, day: date) -> int:
        return bisect_right(self._starts.get((namespace, person_id), ()), day)

    def _start(self, node: Node) -> datetime:
        begins, _ = self.validity(node)
        return datetime.combine(begins or date.min, time(), UTC)

    def _dated_id(self, node: Node) -> str:
        begins, _ = self.validity(node)
        return f"{node.person_id}\x1f{begins}" if begins else node.person_id

    def _join(self, one: Node, other: Node) -> None:
        low, high = sorted((self.earliest(one), self.earliest(other)), key=self._order)
        if low != high:
            self._parent[high] = low

    def _order(self, node: Node) -> tuple[float, Node]:
        return self._rank.get(node, float("inf")), node


def _stretches(taken: Iterable[Decision]) -> dict[tuple[str, str], tuple[date, ...]]:
    """Return the days from which re-used ids mean another person."""
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    for decision in taken:
        if decision.action == "reuse" and decision.from_day is not None:
            for item in decision.identities:
                days[item.namespace, item.person_id].add(decision.from_day)
    return {identity: tuple(sorted(found)) for identity, found in days.items()}


def _is_cut(one: Node, other: Node, apart: frozenset[Node]) -> bool:
    return (one in apart) != (other in apart)


def _all_pairs(nodes: Iterable[Node]) -> Iterator[_Pair]:
    """Yield each two identities of a role: a split between some leaves the others joined."""
    by_role: dict[str, list[Node]] = defaultdict(list)
    for node in sorted(nodes):
        by_role[node.role].append(node)
    for group in by_role.values():
        for n, one in enumerate(group):
            for other in group[n + 1 :]:
                yield one, other
