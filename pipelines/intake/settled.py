"""Which open refusals a later delivery settles.

A record that was refused, waits, or is dated in the future is settled where its source sent it
again in a later delivery, and it was good: an event of the same kind and key is there that is not
quarantined itself. Nobody has anything left to do, and the older record counts as superseded.
This is worked out anew from the log, so no order of processing can matter.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.intake.aside import IN_FUTURE, REPLAYED_SCHEMA, WAITING
from pipelines.intake.records import REFUSED, IntakeRecord, record_folder
from pipelines.sql import literal_list

SETTLED_SCHEMA: dict[str, pl.DataType] = REPLAYED_SCHEMA | {"settled_by": pl.String()}
"""Where a settled record was read, and the first delivery that settles it."""

ASIDE_CODES = (IN_FUTURE, WAITING)
"""Why accepted records stand aside, where a later one settles that. What is held is held whole."""


def settled_sql(opened: str, events: str, columns: str) -> str:
    """Return a query of open records that a later delivery settles: `columns` and `settled_by`.

    A delivery that came several times says what it says each time. It reads the tables of
    `standing.put_in`.

    Args:
        opened: a relation of `kind`, `record_key`, `delivery_id` and the columns.
        events: a relation of `kind`, `record_key`, `delivery_id` of events that are not
            quarantined.
        columns: the columns that tell an open record from another.
    """
    return f"""
        with said as (
            select
                delivery.delivery_id,
                coalesce(max(arrival.arrived_at), any_value(delivery.known_at)) as said_at
            from standing_delivery as delivery
            left join standing_arrival as arrival on delivery.delivery_id = arrival.delivery_id
            group by delivery.delivery_id
        )

        select {columns}, arg_min(good.delivery_id, (later.said_at, good.delivery_id)) as settled_by
        from {opened} as opened
        join {events} as good using (kind, record_key)
        join said as earlier on opened.delivery_id = earlier.delivery_id
        join said as later on good.delivery_id = later.delivery_id
        where later.said_at > earlier.said_at
        group by all
    """  # noqa: S608 - own names


def settled_aside_sql(aside: str, events: str) -> str:
    """Return a query of the events standing aside that a later delivery settles, and by which."""
    codes = ", ".join(f"'{code}'" for code in ASIDE_CODES)
    opened = f"(select * from {aside} where code in ({codes}))"  # noqa: S608 - own names
    return settled_sql(opened, events, "opened.event_id")


def refused_sql(home: Home, records: Iterable[IntakeRecord]) -> str | None:
    """Return a relation of the refused records of the log that have a key, where there are any."""
    paths = [record_folder(home, r) / REFUSED for r in records if r.refused]
    if not paths:
        return None
    return f"""(
        select distinct
            parse_path(filename)[-3] as delivery_id, kind, source_row, source_cell, record_key
        from read_parquet({literal_list(paths)}, filename = true, union_by_name = true)
        where record_key is not null
    )"""  # noqa: S608 - own paths


def settled_refusals(con: duckdb.DuckDBPyConnection, refused: str, events: str) -> pl.DataFrame:
    """Return the refused records that a later delivery settles, as `SETTLED_SCHEMA`."""
    columns = ", ".join(f"opened.{name}" for name in REPLAYED_SCHEMA)
    found: pl.DataFrame = con.sql(settled_sql(refused, events, columns)).pl()
    return found.select(pl.col(name).cast(dtype) for name, dtype in SETTLED_SCHEMA.items())
