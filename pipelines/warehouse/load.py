"""Loads `raw.*` from the evidence log: what is new or gone since the last load, in one transaction.

`raw` is a function of the log and of `known_at`. A delivery is replaced whole when another
interpretation of it comes into force, and present outcomes are worked out again for the records
that this touches, and for no others.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipelines.home import Home
from pipelines.intake.aside import ROSTERS, Aside, decided, list_unmatched, replayed_only
from pipelines.intake.present import as_it_stands, mended, refused_and_replayed
from pipelines.intake.records import IntakeRecord, receipts
from pipelines.intake.resolve import OUTCOMES
from pipelines.intake.standing import put_in, standing
from pipelines.rules import Catalogue
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse, transaction
from pipelines.warehouse.raw_events import Events, Progress
from pipelines.warehouse.raw_refused import (
    close_mended,
    point_to_waiting,
    replace_pointers,
    settle,
)
from pipelines.warehouse.raw_rows import Row, insert, number, replace, replace_all
from pipelines.warehouse.raw_schema import KINDS, create_raw
from pipelines.warehouse.reference import (
    declared_tables,
    identities,
    reference_tables,
    rule_tables,
)

LOADED = ("delivery_id", "interpretation_id", "status", "known_at")
"""What makes a delivery as loaded: another of these, and it is loaded again."""

SNAPSHOTS = {
    "raw.snapshot_arrival": "standing_arrival",
    "raw.snapshot_register": "standing_register",
}
"""Tables that remember what `standing.put_in` said at the last load."""

PATIENCE = 60.0


@dataclass(frozen=True)
class LoadReport:
    """What one load did, and what `raw` holds now.

    Attributes:
        is_present: whether it took all that the log has.
        statuses: how many deliveries have which status.
        records: how many records have which present outcome, refused and held ones among them.
    """

    is_present: bool
    statuses: dict[str, int]
    records: dict[str, int]
    deliveries_added: int
    deliveries_removed: int
    events_added: dict[str, int]
    events: dict[str, int]
    outcomes: dict[str, int]
    refused: int
    newest_known_at: datetime | None
    seconds: float

    @property
    def is_unchanged(self) -> bool:
        """Return whether every delivery was there before."""
        return not (self.deliveries_added or self.deliveries_removed)


def load(
    home: Home,
    settings: Settings,
    known_at: datetime | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Bring `raw.*` in line with the log.

    Args:
        home: whose log and warehouse.
        settings: memory, threads, and the site's folder.
        known_at: leave out what was not known by then; default: take everything.
        progress: told how many of the new events are loaded.
    """
    started = time.perf_counter()
    with (
        home.writing(timeout=PATIENCE),
        open_warehouse(home, settings) as con,
    ):
        con.execute(f"set memory_limit = '{settings.intake_memory_limit}'")
        create_raw(con)
        with transaction(con):
            report = _load(con, home, settings, known_at, started, progress)
        con.execute("checkpoint")
    return report


def newest_known_at(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return the newest instant at which something that `raw` holds became known.

    A record cannot have become known after its delivery came, whatever its own column says. A full
    snapshot that comes again makes known that all is still as it was.
    """
    each = " union all ".join(
        "select max(least(event.known_at, record.known_at)) as known_at "
        f'from raw."{kind}" as event join raw.intake_record as record using (delivery_id)'
        for kind in KINDS
    )
    each += " union all select max(arrived_at) from raw.snapshot_arrival"
    found: datetime | None = con.execute(f"select max(known_at) from ({each})").fetchall()[0][0]
    return found


def replace_rules(con: duckdb.DuckDBPyConnection, rules: Catalogue) -> None:
    """Put other rule sets and AI policies into `raw`."""
    replace_all(con, rule_tables(rules))


def replace_declared(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Put the rules and code lists into `raw` that files declare now.

    Raises:
        RuleFileError: a rule set has a fault; the message says where.
        SourceError: a code list has one.
    """
    replace_all(con, declared_tables(settings))


def _load(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    known_at: datetime | None,
    started: float,
    progress: Progress | None,
) -> LoadReport:
    stands = standing(home, known_at)
    in_force = {_as_loaded(record): record for record in stands.records.values()}
    _forget_another_limit(con, known_at)
    loaded = set(con.execute(f"select {', '.join(LOADED)} from raw.loaded").fetchall())
    gone = sorted(loaded - in_force.keys())
    new = [item for key, item in in_force.items() if key not in loaded]
    con.execute("create or replace temp table gone (delivery_id varchar)")
    insert(con, "gone", [{"delivery_id": key[0]} for key in gone])
    put_in(con, stands)
    _replace_snapshots(con)
    records = list(in_force.values())
    replace(con, "receipt", [receipt.model_dump() for receipt in receipts(home)])
    replace(con, "intake_record", [_intake_row(record) for record in records])
    replace_pointers(con, home, new)
    events = Events(con, home, new, known_at, progress)
    replayed_only(home, records, known_at).register(con)
    for kind in ("void", *ROSTERS):
        events.replace(kind)
    identity = identities(con, home, stands, known_at)
    replace(con, "identity", identity)
    aside = decided(home, records, identity, known_at)
    aside.register(con)
    for kind in KINDS:
        if kind not in ROSTERS:
            events.replace(kind)
    events_added = events.added
    places = mended(aside.replayed, settle(con))
    close_mended(con, places)
    point_to_waiting(con)
    counted = refused_and_replayed(home, records, places)
    replace(con, "intake_record", [_intake_row(record, aside, counted) for record in records])
    _forget_later_arrivals(con, known_at)
    replace_all(con, reference_tables(home, settings, known_at))
    if known_at is None:
        list_unmatched(home, records, aside, identity)
    con.execute("delete from raw.loaded")
    insert(con, "raw.loaded", [dict(zip(LOADED, key, strict=True)) for key in in_force])
    outcomes = _outcomes(con)
    return LoadReport(
        is_present=known_at is None,
        statuses=_statuses(con),
        records=_records(con, outcomes),
        deliveries_added=len(new),
        deliveries_removed=len(gone),
        events_added=events_added,
        events=_events(con),
        outcomes=outcomes,
        refused=number(con, "select count(*) from raw.refused where is_first and is_open"),
        newest_known_at=newest_known_at(con),
        seconds=round(time.perf_counter() - started, 3),
    )


def _forget_another_limit(con: duckdb.DuckDBPyConnection, known_at: datetime | None) -> None:
    """Empty what was loaded up to another instant than `known_at`."""
    standing = con.execute("select known_at_limit from raw.load_state").fetchall()[0][0]
    if standing == known_at:
        return
    for table in (*KINDS, "refused", "note", "loaded", "aside"):
        con.execute(f'delete from raw."{table}"')
    con.execute("update raw.load_state set known_at_limit = ?", [known_at])


def _forget_later_arrivals(con: duckdb.DuckDBPyConnection, known_at: datetime | None) -> None:
    """Leave out deliveries that came after `known_at`, unless they tell what was known before."""
    if known_at is None:
        return
    con.execute("delete from raw.receipt where known_at > ?", [known_at])
    con.execute(
        """
        create or replace temp table later as
        select delivery_id from raw.intake_record where known_at > ?
        """,
        [known_at],
    )
    for table in ("refused", "note"):
        con.execute(f"delete from raw.{table} where delivery_id in (select delivery_id from later)")
    told = " union ".join(f'select delivery_id from raw."{kind}"' for kind in KINDS)
    con.execute(
        f"""
        delete from raw.intake_record
        where delivery_id in (select delivery_id from later) and delivery_id not in ({told})
        """
    )


def _intake_row(
    record: IntakeRecord,
    aside: Aside | None = None,
    counted: dict[str, Counter[str]] | None = None,
) -> Row:
    match = aside.matches.get(record.delivery_id) if aside is not None else None
    stands = as_it_stands(record, match)
    hold = stands.hold.model_dump() if stands.hold else {}
    n_replayed = (counted or {}).get(record.delivery_id, Counter()).total()
    return stands.model_dump() | {
        **{f"hold_{name}": value for name, value in hold.items()},
        "error": str(record.error) if record.error else None,
        "check_verdict": record.check.get("verdict"),
        "check_results": _json(record.check.get("results", [])),
        "n_accepted_events": record.n_events,
        "n_refused": record.refused - n_replayed,
        "n_replayed": n_replayed,
        "n_held": record.n_events if record.status == "held" else 0,
        "accepted_events": _json(record.accepted_events),
        "reasons": _json(record.reasons),
        "notes": _json(record.notes),
        "contract_versions": _json(record.contract_versions),
    }


def _as_loaded(record: IntakeRecord) -> tuple[str, ...]:
    known_at = record.known_at.isoformat()
    return record.delivery_id, record.interpretation_id, record.status, known_at


def _replace_snapshots(con: duckdb.DuckDBPyConnection) -> None:
    """Keep which snapshots arrived and are in force; `shifted` has the sources that changed."""
    changed = [
        f"select source_id from (from {one} except from {other})"
        for pair in SNAPSHOTS.items()
        for one, other in (pair, reversed(pair))
    ]
    con.execute(f"create or replace temp table shifted as {' union '.join(changed)}")
    for table, present in SNAPSHOTS.items():
        con.execute(f"delete from {table}")
        con.execute(f"insert into {table} from {present}")


def _events(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    counts = {kind: number(con, f'select count(*) from raw."{kind}"') for kind in sorted(KINDS)}
    return {kind: n for kind, n in counts.items() if n}


def _outcomes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    each = " union all ".join(f'select present_outcome from raw."{kind}"' for kind in KINDS)
    rows = con.execute(
        f"select present_outcome, count(*) from ({each}) group by all order by all"
    ).fetchall()
    return dict(rows)


def _statuses(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many deliveries have which status."""
    found = con.execute("select status, count(*) from raw.intake_record group by status").fetchall()
    return dict(found)


def _records(con: duckdb.DuckDBPyConnection, outcomes: dict[str, int]) -> dict[str, int]:
    """Return outcomes with those of records that are no events: refused, mended since, or held."""
    mended_since, waiting = con.execute(
        "select sum(n_replayed), sum(n_refused + n_held) from raw.intake_record"
    ).fetchall()[0]
    beside = {"superseded": int(mended_since or 0), "quarantined": int(waiting or 0)}
    return {name: outcomes.get(name, 0) + beside.get(name, 0) for name in OUTCOMES}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
