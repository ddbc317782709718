"""Placeholder until intake.resolve lands."""

from __future__ import annotations

import duckdb


def resolve_pool(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Write the table `outcome` (event_id, present_outcome) from the table `pool`."""
    con.execute(
        f"""
        create or replace temp table outcome as
        with ordered as (
            select
                event.event_id,
                event.record_key,
                event.content_hash,
                row_number() over place as n,
                lag(event.content_hash) over place as previous_hash
            from pool as event
            left join raw.intake_record as record using (delivery_id)
            window place as (
                partition by event.record_key
                order by
                    event.source_version nulls first, event.known_at, record.sha256,
                    event.source_row, event.source_cell nulls first
            )
        ),
        marked as (
            select
                *,
                previous_hash is null or previous_hash <> content_hash as starts_run,
                max(case when previous_hash is null or previous_hash <> content_hash then n end)
                    over (partition by record_key) as last_start
            from ordered
        )
        select
            event_id,
            case
                when not starts_run then 'duplicate'
                when n < last_start then 'superseded'
                when '{kind}' <> 'void'
                    and record_key in (select record_key from raw.void) then 'voided'
                else 'accepted'
            end as present_outcome
        from marked
        """
    )
