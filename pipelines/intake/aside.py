"""Which events stand aside: they are in the log, and take no part while others are resolved.

An event stands aside because a person replayed its record with corrections, because its delivery is
held for naming too many unknown learners, because it tells of something that took place after it
was known, or because it waits for a roster to name its learner.
This is worked out anew from the log and the vault each time, so a roster that comes late lets
records in by itself, and no order of arrival or processing can matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.contracts.times import EVENT_TIMES
from pipelines.home import PRIVATE, Home, write_atomically
from pipelines.identity.dates import DATED_BY
from pipelines.identity.decisions import mask_id
from pipelines.identity.vault import persons
from pipelines.intake.records import IntakeRecord, record_folder

ROSTERS = ("learner", "assessor")
"""Kinds that say who is who: they wait for nobody, and are never held for naming unknown ones."""

LEARNER = "learner_pseudonym"
REPLAYS = "replays.parquet"
"""In the folder of a replay: which records it mends."""

REPLAYED_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "kind": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "record_key": pl.String(),
}
"""Where a replayed record was read. The record's key is given where one place holds several, empty
text for one that has none."""

EXAMPLES = 5
"""So many unknown learners are named, masked, where it is said why a delivery is held."""

HOLD_RULE = "delivery.match_share"
WAITING = "waiting"
HELD = "held"
REPLAYED = "replayed"
IN_FUTURE = "in_future"


@dataclass(frozen=True)
class Words:
    """What is said of a record that stands aside."""

    message: str
    suggestion: str


WORDS = {
    WAITING: Words(
        "no roster names the learner",
        "nothing to do when the roster is still to come: the record enters by itself; else correct "
        "the id at the source, or say whose it is: tessera identity merge",
    ),
    HELD: Words(
        "the delivery is held whole, for too few of its learners are known",
        "see who is not known: tessera quarantine show --delivery; it enters by itself when the "
        "roster comes",
    ),
    IN_FUTURE: Words(
        "it is dated after its delivery arrived",
        "correct the date at the source and send the record again; a source that records what is "
        "still to come says so in its spec: gates: {max_days_ahead: …}",
    ),
}

_SQL = """
    select
        event.event_id,
        event.kind,
        event.record_key,
        event.delivery_id,
        event.source_row,
        event.source_cell,
        case
            when replayed.delivery_id is not null then '{replayed}'
            when event.is_evidence and policy.is_held then '{held}'
            when event.took_place_at > policy.latest then '{in_future}'
            else '{waiting}'
        end as code,
        case when replayed.delivery_id is not null then 'superseded' else 'quarantined' end
            as present_outcome
    from {events} as event
    left join aside_policy as policy on event.delivery_id = policy.delivery_id
    left join aside_replayed as replayed
        on
            event.delivery_id = replayed.delivery_id
            and event.kind = replayed.kind
            and event.source_row = replayed.source_row
            and event.source_cell is not distinct from replayed.source_cell
            and (replayed.record_key is null or event.record_key = replayed.record_key)
    left join aside_unknown as unknown
        on
            policy.waits
            and event.learner = unknown.pseudonym
            and event.learner_on >= unknown.valid_from
            and event.learner_on <= unknown.valid_to
    where
        replayed.delivery_id is not null
        or (event.is_evidence and coalesce(policy.is_held, false))
        or event.took_place_at > policy.latest
        or unknown.pseudonym is not null
"""


@dataclass(frozen=True)
class Match:
    """How many of the learners whom a delivery names a roster knows."""

    delivery_id: str
    n_learners: int
    n_known: int
    min_share: float
    examples: tuple[str, ...] = ()
    """Some who are not known, masked."""

    @property
    def share(self) -> float:
        """Return the share that is known."""
        return self.n_known / self.n_learners if self.n_learners else 1.0

    @property
    def is_held(self) -> bool:
        """Tell whether the delivery is held whole."""
        return self.share < self.min_share

    @property
    def sentence(self) -> str:
        """Say why the delivery is held."""
        return (
            f"a roster knows {self.n_known:,} of the {self.n_learners:,} learners whom the "
            f"delivery names, a share of {self.share:.3g}; at least {self.min_share:g} is "
            "expected. It enters by itself when the roster comes; ids of another name space need "
            "`other_ids` in a roster, or `tessera identity merge`. "
            f"Not known: {', '.join(self.examples)}"
        )


@dataclass(frozen=True)
class Aside:
    """What decides which events stand aside, as tables."""

    replayed: pl.DataFrame
    policy: pl.DataFrame
    unknown: pl.DataFrame
    matches: dict[str, Match] = field(default_factory=dict)

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the tables known to a connection, for the query of `aside_sql`."""
        for name in ("replayed", "policy", "unknown"):
            table = f"aside_{name}"
            con.register(f"{table}_rows", getattr(self, name).to_arrow())
            con.execute(f"create or replace temp table {table} as from {table}_rows")
            con.unregister(f"{table}_rows")


def aside_sql(events: str) -> str:
    """Return a query of the events that stand aside: where they are, why, and their outcome.

    Args:
        events: a relation of `EVENT_COLUMNS`, `kind`, `delivery_id` and `person_columns`.
    """
    return _SQL.format(
        events=events, replayed=REPLAYED, held=HELD, waiting=WAITING, in_future=IN_FUTURE
    )


def person_columns(kind: str, found: Iterable[str] | None = None) -> str:
    """Return the select list of what the query needs to know of events of a kind.

    Args:
        kind: the kind of record.
        found: the columns that there are, where they are fewer than the contract's.
    """
    columns = set(segment_schema(CONTRACTS[kind])) if found is None else set(found)
    dated_by = DATED_BY.get(kind)
    day = "cast(known_at as date)"
    if dated_by in columns:
        day = f"coalesce(cast({dated_by} as date), {day})"
    waits = kind not in ROSTERS and LEARNER in columns
    learner = LEARNER if waits else "cast(null as varchar)"
    is_evidence = "true"
    if kind in ROSTERS:
        is_evidence = "false"
    elif kind == "void":
        is_evidence = "target_kind not in ('learner', 'assessor')"
    took_place = EVENT_TIMES.get(kind) if kind != "void" else None
    took_place = took_place if took_place in columns else "null"
    return (
        f"{learner} as learner, {day} as learner_on, {is_evidence} as is_evidence, "
        f"cast({took_place} as timestamptz) as took_place_at"
    )


def field_at_fault(code: str, kind: str) -> str | None:
    """Return the field for which a record of a kind stands aside, where it is one."""
    return EVENT_TIMES.get(kind) if code == IN_FUTURE else "learner_id" if code == WAITING else None


def replayed_only(
    home: Home, records: Iterable[IntakeRecord], known_at: datetime | None = None
) -> Aside:
    """Return what can be said before it is known who is who.

    That is which records were replayed, and which are dated in the future.
    """
    listed = list(records)
    policy = [_policy(record, waits=False, is_held=False) for record in listed]
    return Aside(
        replayed=replayed(home, listed, known_at),
        policy=pl.DataFrame(policy, schema=_POLICY, orient="row"),
        unknown=_unknown(pl.DataFrame(schema=_IDENTITY)),
    )


def decided(
    home: Home,
    records: Sequence[IntakeRecord],
    identity: pl.DataFrame,
    known_at: datetime | None = None,
) -> Aside:
    """Return what decides which events stand aside, by who is who.

    Args:
        home: the home whose log and vault are read.
        records: the intake records in force.
        identity: the bridge, as `raw.identity`.
        known_at: leave out replays that came later.
    """
    found = matches(home, records, identity)
    policy = [
        _policy(
            record,
            waits=record.waits_for_roster,
            is_held=record.delivery_id in found and found[record.delivery_id].is_held,
        )
        for record in records
        if record.status == "committed"
    ]
    return Aside(
        replayed=replayed(home, records, known_at),
        policy=pl.DataFrame(policy, schema=_POLICY, orient="row"),
        unknown=_unknown(identity),
        matches=found,
    )


_POLICY: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "waits": pl.Boolean(),
    "is_held": pl.Boolean(),
    "latest": pl.Datetime("us", "UTC"),
}


def _policy(record: IntakeRecord, *, waits: bool, is_held: bool) -> tuple[object, ...]:
    """Return what holds for all records of a delivery; `latest` is the last day it may tell of."""
    ahead = record.max_days_ahead
    latest = None if ahead is None else record.known_at + timedelta(days=ahead)
    return record.delivery_id, waits, is_held, latest


def needs_identity(records: Iterable[IntakeRecord]) -> bool:
    """Tell whether who is who can make any event of these deliveries stand aside."""
    return any(
        record.status == "committed"
        and (record.waits_for_roster or record.min_match_share is not None)
        for record in records
    )


def matches(
    home: Home, records: Iterable[IntakeRecord], identity: pl.DataFrame
) -> dict[str, Match]:
    """Return for each delivery whose source asks for it how many learners a roster knows."""
    gated = [r for r in records if r.status == "committed" and r.min_match_share is not None]
    known = _known_learners(identity)
    found = {}
    for record in gated:
        named = _named_learners(home, record)
        share = record.min_match_share or 0.0
        unknown = _ids(named.join(known, on="pseudonym", how="anti"))
        n_learners = _ids(named).height
        found[record.delivery_id] = Match(
            delivery_id=record.delivery_id,
            n_learners=n_learners,
            n_known=n_learners - unknown.height,
            min_share=share,
            examples=tuple(mask_id(item) for item in unknown["person_id"].head(EXAMPLES)),
        )
    return found


def unmatched(home: Home, record: IntakeRecord, identity: pl.DataFrame) -> pl.DataFrame:
    """Return name space and id of every learner of a delivery whom no roster knows; restricted."""
    named = _named_learners(home, record)
    return _ids(named.join(_known_learners(identity), on="pseudonym", how="anti"))


def unmatched_path(home: Home, delivery_id: str) -> Path:
    """Return the list of learners for whom a delivery is held; restricted."""
    return home.restricted / "unmatched" / f"{delivery_id}.csv"


def list_unmatched(
    home: Home, records: Iterable[IntakeRecord], aside: Aside, identity: pl.DataFrame
) -> None:
    """Write who was not known for every delivery that is held for it, and remove older lists."""
    held = {name for name, match in aside.matches.items() if match.is_held}
    for path in unmatched_path(home, "*").parent.glob("*.csv"):
        if path.stem not in held:
            path.unlink()
    for record in records:
        if record.delivery_id in held:
            path = unmatched_path(home, record.delivery_id)
            text = unmatched(home, record, identity).write_csv()
            write_atomically(path, text.encode(), PRIVATE)


def replayed(
    home: Home, records: Iterable[IntakeRecord], known_at: datetime | None = None
) -> pl.DataFrame:
    """Return where the records were read that committed replays mend."""
    replays = [
        record
        for record in records
        if record.replays
        and record.status == "committed"
        and (known_at is None or record.known_at <= known_at)
    ]
    frames = [
        pl.read_parquet(replays_path(home, record)).select(*REPLAYED_SCHEMA) for record in replays
    ]
    return pl.concat([pl.DataFrame(schema=REPLAYED_SCHEMA), *frames]).unique()


def replays_path(home: Home, record: IntakeRecord) -> Path:
    """Return the file that says which records a replay mends."""
    return record_folder(home, record) / REPLAYS


_IDENTITY = {
    "pseudonym": pl.String,
    "role": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "is_known": pl.Boolean,
}


def _unknown(identity: pl.DataFrame) -> pl.DataFrame:
    return identity.filter((pl.col("role") == "learner") & ~pl.col("is_known")).select(
        "pseudonym",
        pl.col("valid_from").fill_null(pl.date(1, 1, 1)),
        pl.col("valid_to").fill_null(pl.date(9999, 12, 30)),
    )


def _known_learners(identity: pl.DataFrame) -> pl.DataFrame:
    return identity.filter((pl.col("role") == "learner") & pl.col("is_known")).select("pseudonym")


def _ids(named: pl.DataFrame) -> pl.DataFrame:
    return named.select("namespace", "person_id").unique().sort("namespace", "person_id")


def _named_learners(home: Home, record: IntakeRecord) -> pl.DataFrame:
    named = persons(home, [(record.delivery_id, record.interpretation_id)])
    return named.filter(pl.col("role") == "learner").select("namespace", "person_id", "pseudonym")
