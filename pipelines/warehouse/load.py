"""Loads `raw.*` from the evidence log: what is new or gone since the last load, in one transaction.

`raw` is a function of the log and of `known_at`. A delivery is replaced whole when another
interpretation of it comes into force, and present outcomes are worked out again for the records
that this touches, and for no others.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.contracts.versions import read_segment
from pipelines.home import Home
from pipelines.intake.aside import (
    ROSTERS,
    WORDS,
    Aside,
    aside_sql,
    decided,
    field_at_fault,
    list_unmatched,
    person_columns,
    replayed_only,
)
from pipelines.intake.present import as_it_stands, mended, refused_and_replayed
from pipelines.intake.records import IntakeRecord, interpretation_folder, receipts, segments
from pipelines.intake.resolve import (
    CONFLICT,
    CONFLICT_REMEDY,
    EVENT_COLUMNS,
    UNCONTESTED,
    conflict_message,
    contested_sql,
    resolve_sql,
)
from pipelines.intake.settled import ASIDE_CODES, settled_aside_sql, settled_refusals
from pipelines.intake.standing import put_in, standing
from pipelines.rules import Catalogue
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.raw_schema import OTHER_TABLES, create_raw
from pipelines.warehouse.reference import (
    Rows,
    declared_tables,
    identities,
    reference_tables,
    rule_tables,
)

KINDS = ("void", *(kind for kind in CONTRACTS if kind != "void"))
"""Voids first: they change the outcome of records of other kinds."""

POINTERS = ("delivery_id", "interpretation_id")
LOADED = (*POINTERS, "status", "known_at")
"""What makes a delivery as loaded: another of these, and it is loaded again."""
POINTED_AT = (*POINTERS, "source_id", "source_row", "source_cell", "record_key")

SNAPSHOTS = {
    "raw.snapshot_arrival": "standing_arrival",
    "raw.snapshot_register": "standing_register",
}
"""Tables that remember what `standing.put_in` said at the last load."""

PATIENCE = 60.0
FILES_AT_ONCE = 256
"""Files of events that go into their table by one statement: about sixteen million rows.

What one statement inserts is compressed once; what several insert in one transaction, twice."""

Progress = Callable[[int, int], None]
"""Called with the new events loaded so far, and how many there are."""

Row = dict[str, Any]


@dataclass(frozen=True)
class LoadReport:
    """What one load did, and what `raw` holds now."""

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
        con.begin()
        try:
            report = _load(con, home, settings, known_at, started, progress)
            con.commit()
        except BaseException:
            con.rollback()
            raise
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
    _replace_tables(con, rule_tables(rules))


def replace_declared(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Put the rules and code lists into `raw` that files declare now.

    Raises:
        RuleFileError: a rule set has a fault; the message says where.
        SourceError: a code list has one.
    """
    _replace_tables(con, declared_tables(settings))


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
    _insert(con, "gone", [{"delivery_id": key[0]} for key in gone])
    put_in(con, stands)
    _replace_snapshots(con)
    records = list(in_force.values())
    _replace(con, "receipt", [receipt.model_dump() for receipt in receipts(home)])
    _replace(con, "intake_record", [_intake_row(record) for record in records])
    _replace_pointers(con, home, new)
    events = _Events(con, home, new, known_at, progress)
    replayed_only(home, records, known_at).register(con)
    for kind in ("void", *ROSTERS):
        events.replace(kind)
    identity = identities(con, home, stands, known_at)
    _replace(con, "identity", identity)
    aside = decided(home, records, identity, known_at)
    aside.register(con)
    for kind in KINDS:
        if kind not in ROSTERS:
            events.replace(kind)
    events_added = events.added
    places = mended(aside.replayed, _settle(con))
    _close_mended(con, places)
    _point_to_waiting(con)
    counted = refused_and_replayed(home, records, places)
    _replace(con, "intake_record", [_intake_row(record, aside, counted) for record in records])
    _forget_later_arrivals(con, known_at)
    _replace_tables(con, reference_tables(home, settings, known_at))
    if known_at is None:
        list_unmatched(home, records, aside, identity)
    con.execute("delete from raw.loaded")
    _insert(con, "raw.loaded", [dict(zip(LOADED, key, strict=True)) for key in in_force])
    return LoadReport(
        deliveries_added=len(new),
        deliveries_removed=len(gone),
        events_added=events_added,
        events=_events(con),
        outcomes=_outcomes(con),
        refused=_number(con, "select count(*) from raw.refused where is_first and is_open"),
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


class _Events:
    """Brings the events of one kind after the other in line with the log.

    What stands aside is worked out for all events of a kind, so that a roster, a replay or a
    decision about identities lets records in, or takes them out, that were loaded long ago.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        home: Home,
        new: Iterable[IntakeRecord],
        known_at: datetime | None,
        progress: Progress | None,
    ) -> None:
        self._con, self._home, self._known_at = con, home, known_at
        self._committed = [record for record in new if record.status == "committed"]
        self._staged: set[str] = set()
        self._parts: list[str] = []
        """Queries of the new events of the kind at hand, some files at a time."""
        self._progress = progress
        self._done, self._total = 0, sum(record.n_events for record in self._committed)
        counted = "select (select count(*) from gone) + (select count(*) from shifted)"
        self._is_any_gone = _number(con, counted) > 0
        self.added: dict[str, int] = {}
        con.execute("create or replace temp table voided (record_key varchar)")

    def replace(self, kind: str) -> None:
        """Replace the events of a kind, or look again at who stands aside."""
        con = self._con
        is_new = any(kind in record.accepted_events for record in self._committed)
        if not is_new and not _number(con, f'select count(*) from raw."{kind}"'):
            return
        n = self._stage(kind)
        is_any_voided = _number(con, "select count(*) from voided") > 0
        is_changed = n or self._is_any_gone or (is_any_voided and kind != "void")
        if not (self._stand_aside(kind) or is_changed):
            return
        con.execute(
            f"""
            create or replace temp table touched as
            select record_key from incoming
            union all
            select record_key from aside_changed
            union all
            select record_key from raw."{kind}"
            where
                delivery_id in (select delivery_id from gone)
                or record_key in (select record_key from voided)
                or source_id in (select source_id from shifted)
            """
        )
        if not _number(con, "select count(*) from touched"):
            return
        self._resolve(kind)
        con.execute("delete from raw.aside where kind = ?", [kind])
        con.execute("insert into raw.aside by name select * from aside_now")
        if kind == "void":
            con.execute("insert into voided select record_key from touched")
        if n:
            self.added[kind] = n

    def _stage(self, kind: str) -> int:
        """Show the new events of a kind as `incoming`, once; return how many."""
        new = [] if kind in self._staged else self._committed
        self._staged.add(kind)
        self._parts = _parts(self._con, self._home, kind, new, self._known_at)
        self._con.execute(
            f"""
            create or replace temp view incoming as
            select * from (select * exclude (present_outcome) from raw."{kind}" limit 0)
            union all by name
            {" union all by name ".join(self._parts)}
            """
        )
        return _number(self._con, "select count(*) from incoming")

    def _tell(self, n: int) -> None:
        self._done += n
        if self._progress is not None and n:
            self._progress(min(self._done, self._total), self._total)

    def _stand_aside(self, kind: str) -> bool:
        """Make `aside_now`, and `aside_changed` with the records for which it is another."""
        con = self._con
        con.execute("create or replace temp table aside_changed (record_key varchar)")
        can_be = _number(
            con,
            f"""
            select
                (select count(*) from raw.aside where kind = '{kind}')
                + (select count(*) from aside_replayed where kind = '{kind}')
                + (select count(*) from aside_policy where is_held)
                + (
                    select count(*)
                    from (select delivery_id, {person_columns(kind)} from incoming) as event
                    join aside_policy as policy on event.delivery_id = policy.delivery_id
                    where event.took_place_at > policy.latest
                )
                + (select count(*) from aside_policy where waits)
                * (select count(*) from aside_unknown)
            """,
        )
        columns = (
            "event_id, record_key, delivery_id, source_row, source_cell, "
            f"'{kind}' as kind, {person_columns(kind)}"
        )
        con.execute(
            f"""
            create or replace temp view standing_events as
            select {columns} from incoming
            union all
            select {columns} from raw."{kind}"
            where delivery_id not in (select delivery_id from gone)
            """
        )
        events = "standing_events" if can_be else "(from standing_events limit 0)"
        con.execute(f"create or replace temp table aside_now as {aside_sql(events)}")
        if not can_be:
            return False
        con.execute(
            f"""
            insert into aside_changed
            select coalesce(new.record_key, old.record_key)
            from aside_now as new
            full join (select * from raw.aside where kind = '{kind}') as old
                on new.event_id = old.event_id
            where new.code is distinct from old.code
            """
        )
        return _number(con, "select count(*) from aside_changed") > 0

    def _resolve(self, kind: str) -> None:
        """Work out the present outcomes of the records in `touched` again.

        Wide rows are read once, from the segments into the table: what is worked out rests on a few
        columns, and of most records there is nothing to work out.
        """
        con = self._con
        con.execute(
            f"""
            create or replace temp table stood as
            select * exclude (present_outcome) from raw."{kind}"
            where
                record_key in (select record_key from touched)
                and delivery_id not in (select delivery_id from gone)
            """
        )
        con.execute(
            "create or replace temp view pool as from incoming union all by name from stood"
        )
        con.execute(
            f'delete from raw."{kind}" where record_key in (select record_key from touched)'
        )
        con.execute(_contested(kind))
        con.execute(_events_to_resolve(kind))
        con.execute(
            "create or replace temp table resolved as "
            + resolve_sql("to_resolve", refused=STILL_THERE)
        )
        self._insert(kind, "from stood")
        for part in self._parts:
            self._tell(self._insert(kind, part))
        _replace_findings(con, kind)

    def _insert(self, kind: str, events: str) -> int:
        """Insert the events that a query gives, with their outcomes; return how many."""
        return _number(
            self._con,
            f"""
            insert into raw."{kind}" by name
            select
                event.*,
                coalesce(
                    aside.present_outcome,
                    case
                        when event.record_key in (select record_key from contested)
                            then resolved.present_outcome
                        else '{UNCONTESTED}'
                    end
                ) as present_outcome
            from ({events}) as event
            left join resolved using (event_id)
            left join aside_now as aside using (event_id)
            """,
        )


def _contested(kind: str) -> str:
    """Return the making of `contested`: the records of the pool whose outcome must be resolved."""
    voids = "select record_key from (from touched limit 0)"
    if kind != "void":
        voids = "select record_key from raw.void where record_key in (from touched)"
    return f"create or replace temp table contested as {contested_sql('pool', voids)}"


def _events_to_resolve(kind: str) -> str:
    """Return the making of `to_resolve`: contested events, and the voids that may withdraw them."""
    columns = ", ".join(f"event.{name}" for name in EVENT_COLUMNS)

    def events(of_kind: str, table: str, aside: str) -> str:
        return f"""
            select {columns}, event.delivery_id, '{of_kind}' as kind
            from {table} as event
            where
                event.event_id not in (select event_id from {aside})
                and event.record_key in (select record_key from contested)
        """

    pool = events(kind, "pool", "aside_now")
    if kind != "void":
        pool += f"union all {events('void', 'raw.void', 'raw.aside')}"
    return f"create or replace temp table to_resolve as {pool}"


STILL_THERE = (
    "(select delivery_id, record_key from raw.refused "
    "union all select delivery_id, record_key from aside_now)"
)
"""Records that a delivery holds though none of their events takes part in resolving."""


def _replace_findings(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Replace what resolving found about the touched records: conflicts, and what vanished."""
    for table, code in (("refused", "conflict"), ("note", "vanished")):
        con.execute(
            f"""
            delete from raw.{table}
            where code = '{code}' and record_key in (select record_key from touched)
            """
        )
    con.execute(
        f"""
        insert into raw.refused by name
        select
            {", ".join(f"newcomer.{name}" for name in POINTED_AT)},
            '{kind}' as kind,
            'conflict' as code,
            'record_id' as field,
            {conflict_message("first.source_row", "first.delivery_id")} as message,
            ? as suggestion,
            record.owner,
            true as is_first
        from resolved
        join pool as newcomer on resolved.event_id = newcomer.event_id
        join pool as first on resolved.conflicts_with = first.event_id
        join raw.intake_record as record on newcomer.delivery_id = record.delivery_id
        """,
        [CONFLICT_REMEDY],
    )
    con.execute(
        f"""
        insert into raw.note by name
        select
            event_id,
            {", ".join(f"pool.{name}" for name in POINTED_AT)},
            '{kind}' as kind,
            'vanished' as code,
            'the full snapshot of ' || strftime(gone_at at time zone 'UTC', '%Y-%m-%d')
                || ' lacks the record, which one before it had' as detail
        from resolved join pool using (event_id)
        where gone_at is not null
        """
    )


def _settle(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Supersede what stands aside and was sent again; return the refusals that are settled."""
    codes = ", ".join(f"'{code}'" for code in (*WORDS, CONFLICT))
    refused = f"""(
        select distinct delivery_id, kind, source_row, source_cell, record_key
        from raw.refused where record_key is not null and code not in ({codes})
    )"""
    kinds = con.execute(f"select kind from {refused} union select kind from raw.aside").fetchall()
    listed = sorted(kind for (kind,) in kinds if kind in KINDS)
    keys = f"(select record_key from {refused} union select record_key from raw.aside)"
    good = [
        f"""
        select '{kind}' as kind, record_key, delivery_id
        from raw."{kind}"
        where present_outcome <> 'quarantined' and record_key in {keys}
            and event_id not in (select event_id from raw.aside)
        """
        for kind in listed
    ] or ["select null::varchar as kind, null::varchar as record_key, null as delivery_id"]
    con.execute(
        f"""
        create or replace temp table good_again as {" union all ".join(good)};
        create or replace temp table settled_aside as {settled_aside_sql("raw.aside", "good_again")}
        """
    )
    outcome = "case when settled.event_id is null then 'quarantined' else 'superseded' end"
    con.execute(
        f"""
        create or replace temp table aside_again as
        select aside.event_id, aside.kind, {outcome} as present_outcome
        from raw.aside as aside
        left join settled_aside as settled on aside.event_id = settled.event_id
        where aside.code in ({", ".join(f"'{code}'" for code in ASIDE_CODES)})
        """
    )
    for table in ("aside", *listed):
        con.execute(
            f"""
            update raw."{table}" as stood set present_outcome = again.present_outcome
            from aside_again as again
            where stood.event_id = again.event_id
                and stood.present_outcome <> again.present_outcome
            """
        )
    return settled_refusals(con, refused, "good_again")


def _close_mended(con: duckdb.DuckDBPyConnection, places: pl.DataFrame) -> None:
    """Note which refused records are still open: those that came again from nobody, corrected."""
    con.register("mended_rows", places.to_arrow())
    is_mended = """
        exists (
            select 1 from mended_rows as mended
            where
                mended.delivery_id = refused.delivery_id
                and mended.kind = refused.kind
                and mended.source_row = refused.source_row
                and mended.source_cell is not distinct from refused.source_cell
                and (
                    mended.record_key is null
                    or mended.record_key = coalesce(refused.record_key, '')
                )
        )
    """
    con.execute("update raw.refused set is_open = true where is_open is distinct from true")
    con.execute(f"update raw.refused as refused set is_open = false where {is_mended}")
    con.unregister("mended_rows")


def _point_to_waiting(con: duckdb.DuckDBPyConnection) -> None:
    """List accepted records that wait, or whose delivery is held, beside the refused ones."""
    rows = [
        {
            "code": code,
            "kind": kind,
            "field": field_at_fault(code, kind),
            "message": words.message,
            "suggestion": words.suggestion,
        }
        for code, words in WORDS.items()
        for kind in KINDS
    ]
    con.execute("create or replace temp table words_of_aside as from raw.refused limit 0")
    _insert(con, "words_of_aside", rows)
    con.execute("delete from raw.refused where message in (select message from words_of_aside)")
    con.execute(
        """
        insert into raw.refused by name
        select
            aside.delivery_id,
            record.interpretation_id,
            record.source_id,
            aside.source_row,
            aside.source_cell,
            aside.kind,
            aside.record_key,
            aside.code,
            said.field,
            said.message,
            said.suggestion,
            record.owner,
            true as is_first,
            true as is_open
        from raw.aside as aside
        join raw.intake_record as record using (delivery_id)
        join words_of_aside as said on aside.code = said.code and aside.kind = said.kind
        where aside.present_outcome = 'quarantined'
        """
    )


def _parts(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    kind: str,
    new: Iterable[IntakeRecord],
    known_at: datetime | None,
) -> list[str]:
    """Return queries of the new events of a kind, under the present contract."""
    contract = CONTRACTS[kind]
    present: list[str] = []
    older: list[pl.DataFrame] = []
    for record in new:
        if kind in record.accepted_events:
            paths = segments(interpretation_folder(home, *_key(record)), kind)
            version = record.contract_versions[kind]
            if version == contract.contract_version:
                present += map(str, paths)
            else:
                older += [read_segment(path, kind, version).collect() for path in paths]
    schema = segment_schema(contract)
    con.register("older_rows", pl.concat([pl.DataFrame(schema=schema), *older]).to_arrow())
    con.execute("create or replace temp table older_events as from older_rows")
    con.unregister("older_rows")
    queries = [f"select {_columns(schema)} from older_events"]
    for start in range(0, len(present), FILES_AT_ONCE):
        listed = _literal_list(present[start : start + FILES_AT_ONCE])
        files = f"read_parquet({listed}, union_by_name = true)"
        found = {row[0] for row in con.execute(f"describe select * from {files}").fetchall()}
        queries.append(f"select {_columns(schema, found)} from {files}")
    limit = "true" if known_at is None else f"known_at <= timestamptz '{known_at.isoformat()}'"
    return [
        f"""
        select * from (
            select event.* replace (
                case
                    when event.known_at = delivery.stamped_at then delivery.known_at
                    else event.known_at
                end as known_at
            )
            from ({query}) as event
            join standing_delivery as delivery on event.delivery_id = delivery.delivery_id
        )
        where {limit}
        """
        for query in queries
    ]


def _columns(schema: Iterable[str], found: set[str] | None = None) -> str:
    """Return a select list; a field newer than the segments is filled with nothing."""
    return ", ".join(
        f'"{name}"' if found is None or name in found else f'null as "{name}"' for name in schema
    )


def _replace_pointers(
    con: duckdb.DuckDBPyConnection, home: Home, new: Sequence[IntakeRecord]
) -> None:
    """Replace what points to refused and to noted records."""
    for table, file in (("refused", "refused.parquet"), ("note", "notes.parquet")):
        con.execute(f"delete from raw.{table} where delivery_id in (select delivery_id from gone)")
        for record in new:
            path = interpretation_folder(home, *_key(record)) / file
            if path.exists():
                told = dict(zip(POINTERS, _key(record), strict=True)) | {
                    "source_id": record.source_id
                }
                own = [name for name in OTHER_TABLES[table] if name not in (*told, "is_open")]
                con.execute(
                    f"""
                    insert into raw.{table} by name
                    select {_columns(own)}, {", ".join(f"? as {name}" for name in told)}
                    from read_parquet(?)
                    """,
                    [*told.values(), str(path)],
                )


def _key(record: IntakeRecord) -> tuple[str, str]:
    return record.delivery_id, record.interpretation_id


def _replace_tables(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Rows]) -> None:
    for table, rows in tables.items():
        _replace(con, table, rows)


def _replace(con: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    con.execute(f'delete from raw."{table}"')
    _insert(con, f'raw."{table}"', rows, list(OTHER_TABLES[table]))


def _insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: Rows,
    columns: Sequence[str] | None = None,
) -> None:
    """Insert rows by name; what the table has no column for is left out."""
    if not len(rows):
        return
    frame = _frame(rows, columns) if isinstance(rows, list) else rows
    if columns is not None:
        frame = frame.select(name for name in columns if name in frame.columns)
    con.register("rows_to_insert", frame.to_arrow())
    con.execute(f"insert into {table} by name select * from rows_to_insert")
    con.unregister("rows_to_insert")


def _frame(rows: Sequence[Row], columns: Sequence[str] | None) -> pl.DataFrame:
    names = columns or list(rows[0])
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, strict=False)


def _events(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    counts = {kind: _number(con, f'select count(*) from raw."{kind}"') for kind in sorted(KINDS)}
    return {kind: n for kind, n in counts.items() if n}


def _outcomes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    each = " union all ".join(f'select present_outcome from raw."{kind}"' for kind in KINDS)
    rows = con.execute(
        f"select present_outcome, count(*) from ({each}) group by all order by all"
    ).fetchall()
    return dict(rows)


def _number(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _literal_list(values: Iterable[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
