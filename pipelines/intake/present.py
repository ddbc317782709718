"""What became of every event of the log by now: resolved, or standing aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import duckdb_type, segment_schema
from pipelines.home import Home
from pipelines.identity.bridge import bridge
from pipelines.intake.aside import (
    HOLD_RULE,
    REPLAYED_SCHEMA,
    ROSTERS,
    Aside,
    Match,
    aside_sql,
    decided,
    needs_identity,
    person_columns,
    replayed_only,
)
from pipelines.intake.records import REFUSED, Hold, IntakeRecord, record_folder, segments
from pipelines.intake.resolve import (
    CONFLICT,
    EVENT_COLUMNS,
    UNCONTESTED,
    conflict_message,
    contested_sql,
    resolve_sql,
)
from pipelines.intake.settled import (
    SETTLED_SCHEMA,
    refused_sql,
    settled_aside_sql,
    settled_refusals,
)
from pipelines.intake.standing import Standing, put_in, standing
from pipelines.sql import literal_list

_PERSON_TYPES = {
    "learner": "varchar",
    "learner_on": "date",
    "is_evidence": "boolean",
    "took_place_at": "timestamptz",
}

ASIDE_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "record_key": pl.String(),
    "code": pl.String(),
    "learner": pl.String(),
}
"""Accepted events that are quarantined; `learner` is the pseudonym in the segment."""


AT_ONCE = 1_000_000
"""How many events of the log are held in memory to be resolved."""

CONFLICT_SCHEMA: dict[str, pl.DataType] = {
    name: dtype for name, dtype in ASIDE_SCHEMA.items() if name not in ("code", "learner")
} | {"message": pl.String()}


@dataclass(frozen=True)
class Present:
    """The present outcome of the records of every delivery.

    Attributes:
        outcomes: how many events of each delivery have which outcome.
        codes: why events are quarantined, of each delivery: waiting, or held.
        replayed: refused records that a replay mends or a later delivery settles, of each delivery
            by their first problem.
        settled: where the refused records were read that a later delivery settles, and by which.
        settled_aside: the same of accepted events that stood aside, with their code.
        vanished: how many records, accepted or voided, the newest full snapshot lacks.
        matches: how many learners a roster knows, for deliveries whose source asks for it.
        aside: accepted events that are quarantined, with their code and learner.
        conflicts: accepted events that say something else than the first of their id, with why.
    """

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    codes: dict[str, Counter[str]] = field(default_factory=dict)
    replayed: dict[str, Counter[str]] = field(default_factory=dict)
    settled: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SETTLED_SCHEMA))
    settled_aside: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=ASIDE_SCHEMA | {"settled_by": pl.String()})
    )
    vanished: Counter[str] = field(default_factory=Counter)
    matches: dict[str, Match] = field(default_factory=dict)
    aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ASIDE_SCHEMA))
    conflicts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CONFLICT_SCHEMA))


def present(home: Home, stands: Standing) -> Present:
    """Return what became of everything that the intake records in force hold."""
    with duckdb.connect(config={"temp_directory": str(home.spill)}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        load_events(connection, home, stands)
        aside = _aside(connection, home, stands)
        aside.register(connection)
        voids = "select record_key from standing where kind = 'void'"
        connection.execute(f"create temp table aside as {aside_sql('events')}")
        connection.execute(
            f"""
            create temp view standing as select * from events anti join aside using (event_id);
            insert into refused select delivery_id, record_key from aside;
            create temp table contested as {contested_sql("standing", voids)};
            create temp view alone as from standing anti join contested using (record_key);
            create temp table others as
            select {", ".join(EVENT_COLUMNS)}, kind, delivery_id
            from standing semi join contested using (record_key);
            create temp table resolved as {resolve_sql("others", refused="refused")}
            """  # noqa: S608 - own names
        )
        settled = _settle(connection, home, stands)
        asides = _standing_aside(connection)
        rows = _counted(connection)
        conflicts = _conflicts(connection)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    vanished: Counter[str] = Counter()
    for delivery_id, outcome, code, n, n_gone in rows:
        outcomes[delivery_id][outcome] += n
        vanished[delivery_id] += n_gone
        if outcome == "quarantined" and code is not None:
            codes[delivery_id][code] += n
    return Present(
        outcomes=outcomes,
        codes=codes,
        replayed=refused_and_replayed(
            home, stands.records.values(), mended(aside.replayed, settled)
        ),
        settled=settled,
        settled_aside=asides.filter(pl.col("settled_by").is_not_null()).drop("present_outcome"),
        vanished=vanished,
        matches=aside.matches,
        aside=asides.filter(pl.col("present_outcome") == "quarantined").select(*ASIDE_SCHEMA),
        conflicts=conflicts,
    )


def _standing_aside(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the events that stand aside, each with its outcome and what settles it."""
    found: pl.DataFrame = con.sql(
        f"""
        select {", ".join(f"aside.{name}" for name in ASIDE_SCHEMA if name != "learner")},
            events.learner, aside.present_outcome, aside.settled_by
        from aside join events using (event_id)
        """  # noqa: S608 - own names
    ).pl()
    return found


def _counted(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return delivery, outcome, code, how many events, and how many of them a snapshot lacks."""
    return con.execute(
        f"""
        with outcome as (
            select
                others.delivery_id,
                resolved.present_outcome,
                case when resolved.conflicts_with is not null then '{CONFLICT}' end as code,
                resolved.gone_at
            from resolved join others using (event_id)
            union all
            select delivery_id, present_outcome, code, null as gone_at from aside
        )
        select delivery_id, present_outcome, code, count(*), count(gone_at)
        from outcome
        group by all
        union all
        select delivery_id, '{UNCONTESTED}', null, count(*), 0 from alone group by delivery_id
        """  # noqa: S608 - own names
    ).fetchall()


def _conflicts(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the records that say something else under an id that is taken."""
    found: pl.DataFrame = con.sql(
        f"""
        select newcomer.delivery_id, newcomer.source_row, newcomer.source_cell, newcomer.kind,
            newcomer.record_key,
            {conflict_message("first.source_row", "first.delivery_id")} as message
        from resolved
        join others as newcomer on resolved.event_id = newcomer.event_id
        join others as first on resolved.conflicts_with = first.event_id
        """  # noqa: S608 - own names
    ).pl()
    return found


def _settle(con: duckdb.DuckDBPyConnection, home: Home, stands: Standing) -> pl.DataFrame:
    """Supersede what stands aside and was sent again; return the refusals that are settled."""
    con.execute(
        f"""
        create temp view good as
        select kind, record_key, delivery_id from alone
        union all
        select others.kind, others.record_key, others.delivery_id
        from resolved join others using (event_id)
        where resolved.present_outcome <> 'quarantined';
        create temp table settled_aside as {settled_aside_sql("aside", "good")};
        alter table aside add column settled_by varchar;
        update aside set present_outcome = 'superseded', settled_by = settled_aside.settled_by
        from settled_aside where aside.event_id = settled_aside.event_id
        """  # noqa: S608 - own names
    )
    refused = refused_sql(home, stands.records.values())
    return (
        pl.DataFrame(schema=SETTLED_SCHEMA)
        if refused is None
        else settled_refusals(con, refused, "good")
    )


def mended(replayed: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """Return where the refused records were read that nobody has to see to any more."""
    return pl.concat([replayed, settled.select(*REPLAYED_SCHEMA)])


def as_it_stands(record: IntakeRecord, match: Match | None) -> IntakeRecord:
    """Return a record with the status that it has while too few of its learners are known."""
    if match is None or not match.is_held:
        return record
    hold = Hold(rule=HOLD_RULE, reason=match.sentence, owner=record.owner)
    return record.model_copy(update={"status": "held", "hold": hold})


def refused_and_replayed(
    home: Home, records: Iterable[IntakeRecord], places: pl.DataFrame
) -> dict[str, Counter[str]]:
    """Return how many refused records of each delivery are mended, by their first problem."""
    found: dict[str, Counter[str]] = {}
    named = set(places["delivery_id"])
    for record in records:
        if record.delivery_id in named and record.refused:
            codes = replayed_of(home, record, places).filter("is_first")["code"]
            found[record.delivery_id] = Counter(codes.to_list())
    return found


def replayed_of(home: Home, record: IntakeRecord, places: pl.DataFrame) -> pl.DataFrame:
    """Return the problems of those refused records of a delivery that are mended."""
    refused = pl.read_parquet(record_folder(home, record) / REFUSED)
    return _matching(refused, record, places, how="semi")


def still_refused(home: Home, record: IntakeRecord, places: pl.DataFrame) -> pl.DataFrame:
    """Return the problems of those refused records of a delivery that are not mended."""
    refused = pl.read_parquet(record_folder(home, record) / REFUSED)
    return _matching(refused, record, places, how="anti")


def _matching(
    refused: pl.DataFrame, record: IntakeRecord, places: pl.DataFrame, *, how: str
) -> pl.DataFrame:
    here = places.filter(pl.col("delivery_id") == record.delivery_id).select(
        *(name for name in REPLAYED_SCHEMA if name != "delivery_id")
    )
    place = ["kind", "source_row", "source_cell"]
    is_any = here.filter(pl.col("record_key").is_null()).select(place).with_columns(any=True)
    by_key = here.filter(pl.col("record_key").is_not_null()).with_columns(one=True)
    refused = refused.with_columns(pl.col("record_key").fill_null("").alias("__key"))
    marked = refused.join(
        is_any.unique(), on=place, how="left", nulls_equal=True, maintain_order="left"
    ).join(
        by_key.rename({"record_key": "__key"}).unique(),
        on=[*place, "__key"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    is_replayed = pl.col("any").is_not_null() | pl.col("one").is_not_null()
    return marked.filter(is_replayed if how == "semi" else ~is_replayed).drop("any", "one", "__key")


def load_events(connection: duckdb.DuckDBPyConnection, home: Home, stands: Standing) -> None:
    """Make what resolving reads: `events`, the table `refused`, and how deliveries stand.

    Many events are read where they lie whenever they are asked for, so that memory does not grow
    with the log; few in many small files are read once.
    """
    put_in(connection, stands)
    types = {"delivery_id": "varchar"} | {
        name: duckdb_type(dtype)
        for name, dtype in segment_schema(CONTRACTS["void"]).items()
        if name in EVENT_COLUMNS
    }
    columns = types | {"kind": "varchar"} | _PERSON_TYPES
    connection.execute("create table refused (delivery_id varchar, record_key varchar)")
    by_kind: dict[str, list[Path]] = defaultdict(list)
    in_force = {register.delivery_id for register in stands.registers}
    for record in stands.committed:
        folder = record_folder(home, record)
        for kind in record.accepted_events:
            by_kind[kind] += segments(folder, kind)
        if record.delivery_id in in_force and record.refused:
            connection.execute(
                "insert into refused select ?, record_key from read_parquet(?)",
                [record.delivery_id, str(folder / REFUSED)],
            )
    nulls = ", ".join(f"cast(null as {dtype}) as {name}" for name, dtype in columns.items())
    told = [f"select {nulls} where false"]
    for kind, paths in sorted(by_kind.items()):
        relation = f"read_parquet({literal_list(paths)}, union_by_name => true)"
        described = connection.execute(f"describe from {relation}").fetchall()
        people = person_columns(kind, {row[0] for row in described})
        told.append(f"select {', '.join(types)}, '{kind}', {people} from {relation}")  # noqa: S608 - own names
    n_events = sum(record.n_events for record in stands.committed)
    made_as = "view" if n_events > AT_ONCE else "table"
    connection.execute(f"create {made_as} events as {' union all '.join(told)}")


def _aside(connection: duckdb.DuckDBPyConnection, home: Home, stands: Standing) -> Aside:
    """Return what decides who stands aside; who is who comes from accepted roster records."""
    committed = stands.committed
    first = replayed_only(home, committed)
    if not needs_identity(committed):
        return first
    identity = bridge(
        home,
        [(record.delivery_id, record.interpretation_id) for record in committed],
        linking_events=_present_roster_events(connection, first),
        known_earlier=stands.known_earlier,
    )
    return decided(home, committed, identity)


def present_links(home: Home, records: Iterable[IntakeRecord] | None = None) -> pl.Series:
    """Return the events of rosters whose links between ids count: those accepted at present.

    Args:
        home: whose log.
        records: the intake records in force, where they were read already.
    """
    stands = standing(home, records=records)
    with duckdb.connect(config={"temp_directory": str(home.spill)}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        load_events(connection, home, stands)
        return _present_roster_events(connection, replayed_only(home, stands.committed))


def _present_roster_events(connection: duckdb.DuckDBPyConnection, first: Aside) -> pl.Series:
    """Return the accepted events that say who is who, by the tables of `load_events`."""
    first.register(connection)
    kinds = ", ".join(f"'{kind}'" for kind in (*ROSTERS, "void"))
    connection.execute(
        f"""
        create temp table aside_at_first as {aside_sql("events")};
        insert into refused select delivery_id, record_key from aside_at_first;
        create temp table rosters as
        select * from events anti join aside_at_first using (event_id) where kind in ({kinds})
        """  # noqa: S608 - own names
    )
    accepted = connection.execute(
        f"""
        select event_id
        from ({resolve_sql("rosters", refused="refused")}) join rosters using (event_id)
        where present_outcome = 'accepted' and kind <> 'void'
        """  # noqa: S608 - own names
    ).fetchall()
    return pl.Series([row[0] for row in accepted], dtype=pl.String)
