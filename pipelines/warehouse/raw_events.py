"""The events of `raw`: new ones come in, others go, and touched records are resolved again.

Beside `raw` this reads temporary tables of the load: `gone` (deliveries to take out), `shifted`
(sources of which other snapshots are in force), and what `standing.put_in` and `Aside` put beside
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import duckdb
import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.contracts.versions import read_segment
from pipelines.home import Home
from pipelines.intake.aside import aside_sql, person_columns
from pipelines.intake.records import IntakeRecord, record_folder, segments
from pipelines.intake.resolve import EVENT_COLUMNS, UNCONTESTED, contested_sql, resolve_sql
from pipelines.sql import literal_list
from pipelines.warehouse.raw_refused import replace_findings
from pipelines.warehouse.raw_rows import number, select_list

FILES_AT_ONCE = 256
"""Files of events that go into their table by one statement: about sixteen million rows.

What one statement inserts is compressed once; what several insert in one transaction, twice."""
Progress = Callable[[int, int], None]
"""Called with the new events loaded so far, and how many there are."""


class Events:
    """Brings the events of one kind after the other in line with the log.

    What stands aside is worked out for all events of a kind, so that a roster, a replay or a
    decision about identities lets records in, or takes them out, that were loaded long ago.

    Args:
        con: an open warehouse, inside the load's transaction.
        home: whose log.
        new: the intake records whose events `raw` lacks.
        known_at: leave out events that were not known by then.
        progress: told how many of the new events are loaded.

    Attributes:
        added: how many new events were loaded, by kind.
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
        self._is_any_gone = number(con, counted) > 0
        self.added: dict[str, int] = {}
        con.execute("create or replace temp table voided (record_key varchar)")

    def replace(self, kind: str) -> None:
        """Replace the events of a kind, or look again at who stands aside."""
        con = self._con
        # Voids are looked at twice; what the first time brought in is not gone.
        gone = "from gone limit 0" if kind in self._staged else "from gone"
        con.execute(f"create or replace temp view leaving as {gone}")
        is_new = any(kind in record.accepted_events for record in self._committed)
        if not is_new and not number(con, f'select count(*) from raw."{kind}"'):
            return
        n = self._stage(kind)
        is_any_voided = number(con, "select count(*) from voided") > 0
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
                delivery_id in (select delivery_id from leaving)
                or record_key in (select record_key from voided)
                or source_id in (select source_id from shifted)
            """
        )
        if not number(con, "select count(*) from touched"):
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
        return number(self._con, "select count(*) from incoming")

    def _tell(self, n: int) -> None:
        self._done += n
        if self._progress is not None and n:
            self._progress(min(self._done, self._total), self._total)

    def _stand_aside(self, kind: str) -> bool:
        """Make `aside_now`, and `aside_changed` with the records for which it is another."""
        con = self._con
        con.execute("create or replace temp table aside_changed (record_key varchar)")
        can_be = number(
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
            where delivery_id not in (select delivery_id from leaving)
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
        return number(con, "select count(*) from aside_changed") > 0

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
                and delivery_id not in (select delivery_id from leaving)
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
        replace_findings(con, kind)

    def _insert(self, kind: str, events: str) -> int:
        """Insert the events that a query gives, with their outcomes; return how many."""
        return number(
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
            paths = segments(record_folder(home, record), kind)
            version = record.contract_versions[kind]
            if version == contract.contract_version:
                present += map(str, paths)
            else:
                older += [read_segment(path, kind, version).collect() for path in paths]
    schema = segment_schema(contract)
    con.register("older_rows", pl.concat([pl.DataFrame(schema=schema), *older]).to_arrow())
    con.execute("create or replace temp table older_events as from older_rows")
    con.unregister("older_rows")
    queries = [f"select {select_list(schema)} from older_events"]
    for start in range(0, len(present), FILES_AT_ONCE):
        listed = literal_list(present[start : start + FILES_AT_ONCE])
        files = f"read_parquet({listed}, union_by_name = true)"
        found = {row[0] for row in con.execute(f"describe select * from {files}").fetchall()}
        queries.append(f"select {select_list(schema, found)} from {files}")
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
