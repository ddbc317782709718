"""Refused and noted records in `raw`: where each was read, why, and whether it is still open.

Some are known from reading a delivery; the others follow from what else the log holds: conflicts,
what a snapshot lacks, what waits for a roster. Whatever came again corrected is closed.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.intake.aside import WORDS, field_at_fault
from pipelines.intake.records import NOTES, REFUSED, IntakeRecord, record_folder
from pipelines.intake.resolve import CONFLICT, CONFLICT_REMEDY, conflict_message
from pipelines.intake.settled import ASIDE_CODES, settled_aside_sql, settled_refusals
from pipelines.warehouse.raw_rows import insert, select_list
from pipelines.warehouse.raw_schema import KINDS, OTHER_TABLES

READ_FROM = ("delivery_id", "interpretation_id", "source_id")
"""What the intake record says of every record that it tells of."""
PLACE = (*READ_FROM, "source_row", "source_cell", "record_key")


def replace_pointers(
    con: duckdb.DuckDBPyConnection, home: Home, new: Sequence[IntakeRecord]
) -> None:
    """Replace what points to refused and to noted records."""
    for table, file in (("refused", REFUSED), ("note", NOTES)):
        con.execute(f"delete from raw.{table} where delivery_id in (select delivery_id from gone)")
        for record in new:
            path = record_folder(home, record) / file
            if path.exists():
                told = {name: getattr(record, name) for name in READ_FROM}
                own = [name for name in OTHER_TABLES[table] if name not in (*told, "is_open")]
                con.execute(
                    f"""
                    insert into raw.{table} by name
                    select {select_list(own)}, {", ".join(f"? as {name}" for name in told)}
                    from read_parquet(?)
                    """,
                    [*told.values(), str(path)],
                )


def replace_findings(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Replace what resolving found about the touched records: conflicts, and what vanished."""
    for table, code in (("refused", CONFLICT), ("note", "vanished")):
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
            {", ".join(f"newcomer.{name}" for name in PLACE)},
            '{kind}' as kind,
            '{CONFLICT}' as code,
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
            {", ".join(f"pool.{name}" for name in PLACE)},
            '{kind}' as kind,
            'vanished' as code,
            'the full snapshot of ' || strftime(gone_at at time zone 'UTC', '%Y-%m-%d')
                || ' lacks the record, which one before it had' as detail
        from resolved join pool using (event_id)
        where gone_at is not null
        """
    )


def settle(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
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


def close_mended(con: duckdb.DuckDBPyConnection, places: pl.DataFrame) -> None:
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


def point_to_waiting(con: duckdb.DuckDBPyConnection) -> None:
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
    insert(con, "words_of_aside", rows)
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
