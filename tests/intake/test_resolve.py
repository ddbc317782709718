"""Most events need no resolving; those that do give what resolving everything gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.intake.resolve import UNCONTESTED, contested_sql, resolve_sql

START = datetime(2026, 1, 1, tzinfo=UTC)
DELIVERIES = {"a-1": "a", "a-2": "a", "b-1": "b", "snap-1": "snap", "snap-2": "snap"}
ON_CHANGE = {"a": "version", "b": "conflict", "snap": "version"}

Said = tuple[str, str, str, str, int | None]
"""Delivery, kind, record, content, version."""

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(DELIVERIES)),
        st.sampled_from(["exam_result", "exam_result", "exam_result", "void"]),
        st.sampled_from("pqrst"),
        st.sampled_from("xy"),
        st.sampled_from([None, 1, 2]),
    ),
    min_size=1,
    max_size=9,
)


@given(events=EVENTS, withdraws=st.booleans())
@example(events=[("snap-1", "exam_result", "p", "x", None)], withdraws=True)
@example(
    events=[("a-1", "exam_result", "p", "x", None), ("b-1", "void", "p", "x", None)],
    withdraws=False,
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_not_contested_is_accepted_and_the_rest_resolves_alike(
    events: list[Said], withdraws: bool
) -> None:
    with duckdb.connect() as con:
        _put_in(con, events, withdraws=withdraws)
        whole = _outcomes(con, "events")
        contested = contested_sql("events", "select record_key from events where kind = 'void'")
        con.execute(f"create temp table contested as {contested}")
        con.execute("create temp table chosen as from events where record_key in (from contested)")
        short = _outcomes(con, "chosen")
        alone = con.execute(
            "select event_id from events where record_key not in (from contested)"
        ).fetchall()
    assert short | {event_id: (UNCONTESTED, None, None) for (event_id,) in alone} == whole


def test_a_record_that_occurs_once_is_not_contested() -> None:
    with duckdb.connect() as con:
        _put_in(con, [("a-1", "exam_result", "p", "x", None)], withdraws=False)
        voids = "select record_key from events where kind = 'void'"
        assert con.execute(contested_sql("events", voids)).fetchall() == []


def _outcomes(con: duckdb.DuckDBPyConnection, events: str) -> dict[str, tuple[object, ...]]:
    rows = con.execute(
        f"select event_id, present_outcome, gone_at, conflicts_with from ({resolve_sql(events)})"
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def _put_in(con: duckdb.DuckDBPyConnection, events: list[Said], *, withdraws: bool) -> None:
    known = {name: START + timedelta(days=n) for n, name in enumerate(DELIVERIES)}
    rows = [
        {
            "event_id": f"{delivery}.{number}",
            "kind": kind,
            "record_key": record,
            "content_hash": content,
            "source_version": version,
            "known_at": known[delivery],
            "delivery_id": delivery,
            "source_row": number,
            "source_cell": None,
        }
        for number, (delivery, kind, record, content, version) in enumerate(events)
    ]
    deliveries = [
        {
            "delivery_id": name,
            "source_id": source,
            "sha256": name,
            "on_change": ON_CHANGE[source],
            "stamped_at": known[name],
            "known_at": known[name],
            "has_several_arrivals": False,
        }
        for name, source in DELIVERIES.items()
    ]
    snapshots = [
        {"source_id": "snap", "delivery_id": name, "arrived_at": known[name]}
        for name, source in DELIVERIES.items()
        if source == "snap"
    ]
    register = [snapshots[-1] | {"withdraws": withdraws}]
    types = {"source_version": pl.Int64, "source_cell": pl.String}
    for name, content in (
        ("events", rows),
        ("standing_delivery", deliveries),
        ("standing_arrival", snapshots),
        ("standing_register", register),
    ):
        frame = pl.DataFrame(content, schema_overrides=types)
        con.register("some_rows", frame.to_arrow())
        con.execute(f"create temp table {name} as from some_rows")
        con.unregister("some_rows")
