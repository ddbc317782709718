"""Loads `raw.*` from the evidence log: what is new or gone since the last load, in one transaction.

`raw` is a function of the log and of `known_at`. A delivery is replaced whole when another
interpretation of it comes into force, and present outcomes are worked out again for the records
that this touches, and for no others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.contracts.versions import read_segment
from pipelines.home import Home
from pipelines.intake.ledger import CONFLICT_REMEDY
from pipelines.intake.records import IntakeRecord, interpretation_folder, receipts
from pipelines.intake.resolve import EVENT_COLUMNS, resolve_sql
from pipelines.intake.standing import put_in, standing
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.raw_schema import OTHER_TABLES, create_raw
from pipelines.warehouse.reference import Rows, reference_tables

KINDS = ("void", *(kind for kind in CONTRACTS if kind != "void"))
"""Voids first: they change the outcome of records of other kinds."""

POINTERS = ("delivery_id", "interpretation_id")
LOADED = (*POINTERS, "status", "known_at")
"""What makes a delivery as loaded: another of these, and it is loaded again."""
SNAPSHOTS = {
    "raw.snapshot_arrival": "standing_arrival",
    "raw.snapshot_register": "standing_register",
}
"""Tables that remember what `standing.put_in` said at the last load."""
PATIENCE = 60.0

POINTED_AT = (
    *POINTERS, "source_id", "source_row", "source_cell", "record_key",
)  # fmt: skip

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


def load(home: Home, settings: Settings, known_at: datetime | None = None) -> LoadReport:
    """Bring `raw.*` in line with the log.

    Args:
        home: whose log and warehouse.
        settings: memory, threads, and the site's folder.
        known_at: leave out what was not known by then; default: take everything.
    """
    started = time.perf_counter()
    with (
        home.writing(timeout=PATIENCE),
        open_warehouse(home, settings) as con,
    ):
        create_raw(con)
        con.begin()
        try:
            report = _load(con, home, settings, known_at, started)
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


def _load(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    known_at: datetime | None,
    started: float,
) -> LoadReport:
    stands = standing(home, known_at)
    in_force = {_as_loaded(record): record for record in stands.records.values()}
    _forget_another_limit(con, known_at)
    loaded = set(con.execute(f"select {', '.join(LOADED)} from raw.loaded").fetchall())
    gone = sorted(loaded - in_force.keys())
    new = [item for key, item in in_force.items() if key not in loaded]
    con.execute("create or replace temp table gone (delivery_id varchar)")
    _insert(con, "gone", [{"delivery_id": key[0]} for key in gone])
    _replace(con, "receipt", [receipt.model_dump() for receipt in receipts(home)])
    _replace(con, "intake_record", [_intake_row(record) for record in in_force.values()])
    put_in(con, stands)
    n_shifted = _replace_snapshots(con)
    _replace_pointers(con, home, new)
    events_added = _replace_events(con, home, new, known_at) if new or gone or n_shifted else {}
    _forget_later_arrivals(con, known_at)
    for table, rows in reference_tables(con, home, settings, known_at).items():
        _replace(con, table, rows)
    con.execute("delete from raw.loaded")
    _insert(con, "raw.loaded", [dict(zip(LOADED, key, strict=True)) for key in in_force])
    return LoadReport(
        deliveries_added=len(new),
        deliveries_removed=len(gone),
        events_added=events_added,
        events=_events(con),
        outcomes=_outcomes(con),
        refused=_number(con, "select count(*) from raw.refused where is_first"),
        newest_known_at=newest_known_at(con),
        seconds=round(time.perf_counter() - started, 3),
    )


def _forget_another_limit(con: duckdb.DuckDBPyConnection, known_at: datetime | None) -> None:
    """Empty what was loaded up to another instant than `known_at`."""
    standing = con.execute("select known_at_limit from raw.load_state").fetchall()[0][0]
    if standing == known_at:
        return
    for table in (*KINDS, "refused", "note", "loaded"):
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


def _intake_row(record: IntakeRecord) -> Row:
    hold = record.hold.model_dump() if record.hold else {}
    return record.model_dump() | {
        **{f"hold_{name}": value for name, value in hold.items()},
        "error": str(record.error) if record.error else None,
        "check_verdict": record.check.get("verdict"),
        "check_results": _json(record.check.get("results", [])),
        "n_accepted_events": record.n_events,
        "n_refused": record.refused + (record.n_events if record.status == "held" else 0),
        "accepted_events": _json(record.accepted_events),
        "reasons": _json(record.reasons),
        "notes": _json(record.notes),
        "contract_versions": _json(record.contract_versions),
    }


def _as_loaded(record: IntakeRecord) -> tuple[str, ...]:
    known_at = record.known_at.isoformat()
    return record.delivery_id, record.interpretation_id, record.status, known_at


def _replace_snapshots(con: duckdb.DuckDBPyConnection) -> int:
    """Keep which snapshots arrived and are in force; return for how many sources that changed."""
    changed = []
    for table, present in SNAPSHOTS.items():
        for one, other in ((table, present), (present, table)):
            changed.append(f"select source_id from (from {one} except from {other})")
    con.execute(f"create or replace temp table shifted as {' union '.join(changed)}")
    for table, present in SNAPSHOTS.items():
        con.execute(f"delete from {table}")
        con.execute(f"insert into {table} from {present}")
    return _number(con, "select count(*) from shifted")


def _replace_events(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    new: Sequence[IntakeRecord],
    known_at: datetime | None,
) -> dict[str, int]:
    added = {}
    committed = [record for record in new if record.status == "committed"]
    con.execute("create or replace temp table voided (record_key varchar)")
    is_any_touched = (
        _number(con, "select (select count(*) from gone) + (select count(*) from shifted)") > 0
    )
    for kind in KINDS:
        if not is_any_touched and not any(kind in item.accepted_events for item in committed):
            continue
        n = _stage_events(con, home, kind, committed, known_at)
        con.execute(
            f"""
            create or replace temp table touched as
            select record_key from incoming
            union
            select record_key from raw."{kind}"
            where
                delivery_id in (select delivery_id from gone)
                or record_key in (select record_key from voided)
                or source_id in (select source_id from shifted)
            """
        )
        if not _number(con, "select count(*) from touched"):
            continue
        con.execute(
            f"""
            create or replace temp table pool as
            select * from incoming
            union all by name
            select * exclude (present_outcome) from raw."{kind}"
            where
                record_key in (select record_key from touched)
                and delivery_id not in (select delivery_id from gone)
            """
        )
        con.execute(
            f'delete from raw."{kind}" where record_key in (select record_key from touched)'
        )
        con.execute(_events_to_resolve(kind))
        con.execute(
            "create or replace temp table resolved as "
            + resolve_sql("to_resolve", refused="raw.refused")
        )
        con.execute(
            f"""
            insert into raw."{kind}" by name
            select pool.*, resolved.present_outcome
            from pool join resolved using (event_id)
            """
        )
        _replace_findings(con, kind)
        if kind == "void":
            con.execute("create or replace temp table voided as select record_key from touched")
            is_any_touched = True
        if n:
            added[kind] = n
    return added


def _events_to_resolve(kind: str) -> str:
    """Return the making of `to_resolve`: the pool, and the voids that may withdraw its records."""
    columns = ", ".join(f"event.{name}" for name in EVENT_COLUMNS)

    def events(of_kind: str, table: str) -> str:
        return f"""
            select {columns}, event.delivery_id, '{of_kind}' as kind from {table} as event
        """

    pool = events(kind, "pool")
    if kind != "void":
        pool += f"""
            union all
            {events("void", "raw.void")}
            where event.record_key in (select record_key from touched)
        """
    return f"create or replace temp view to_resolve as {pool}"


def _replace_findings(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Replace what resolving found about the touched records: conflicts, and what vanished."""
    con.execute(
        """
        delete from raw.refused
        where code = 'conflict' and record_key in (select record_key from touched)
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
            'the record says something else than row ' || first.source_row || ' of '
                || first.delivery_id || ', which has the same id, came first and stays' as message,
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
        """
        delete from raw.note
        where code = 'vanished' and record_key in (select record_key from touched)
        """
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


def _stage_events(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    kind: str,
    new: Iterable[IntakeRecord],
    known_at: datetime | None,
) -> int:
    """Put the new events of a kind into the table `incoming`, under the present contract."""
    contract = CONTRACTS[kind]
    present, older = [], []
    for record in new:
        if kind in record.accepted_events:
            path = interpretation_folder(home, *_key(record)) / f"{kind}.parquet"
            version = record.contract_versions[kind]
            if version == contract.contract_version:
                present.append(str(path))
            else:
                older.append(read_segment(path, kind, version).collect())
    schema = segment_schema(contract)
    con.register("older_events", pl.concat([pl.DataFrame(schema=schema), *older]).to_arrow())
    parts = [f"select {_columns(schema)} from older_events"]
    if present:
        files = f"read_parquet({_literal_list(present)}, union_by_name = true)"
        found = {row[0] for row in con.execute(f"describe select * from {files}").fetchall()}
        parts.append(f"select {_columns(schema, found)} from {files}")
    con.execute(
        f"""
        create or replace temp table incoming as
        select * from (select * exclude (present_outcome) from raw."{kind}" limit 0)
        union all by name
        select * from (
            select event.* replace (
                case
                    when event.known_at = delivery.stamped_at then delivery.known_at
                    else event.known_at
                end as known_at
            )
            from ({" union all by name ".join(parts)}) as event
            join standing_delivery as delivery on event.delivery_id = delivery.delivery_id
        )
        where coalesce(known_at <= cast(? as timestamptz), true)
        """,
        [known_at],
    )
    con.unregister("older_events")
    return _number(con, "select count(*) from incoming")


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
                own = [name for name in OTHER_TABLES[table] if name not in told]
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
