"""Builds the schema `raw` from contract objects, as intake and load would leave it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel

from pipelines.contracts import Record
from pipelines.contracts.schema import columns
from pipelines.warehouse.raw_schema import create_raw, raw_tables

Row = dict[str, Any]
KNOWN_AT = datetime(2026, 2, 21, 6, tzinfo=UTC)
LEARNERS = {"learner_id"}


def digest(*parts: object, length: int = 32) -> str:
    text = "\x1f".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def pseudonym(person_id: str) -> str:
    return digest("pseudonym", person_id)


def person_key(person_id: str, role: str) -> str:
    return f"{role[0].upper()}-{person_id}"


@dataclass
class RawBuilder:
    """Rows for every raw table; persons become pseudonyms with a readable key."""

    as_of: date = date(2026, 2, 21)
    known_at: datetime = KNOWN_AT
    time_zone: str = "Europe/Vienna"
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    people: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(
        self,
        record: Record,
        *,
        source_id: str = "example",
        delivery_id: str | None = None,
        outcome: str = "accepted",
        known_at: datetime | None = None,
        source_cell: str | None = None,
    ) -> str:
        """Add a record as one event, and return its record key."""
        kind = record.kind
        delivery_id = delivery_id or f"{source_id}-1"
        row_number = len(self.rows[kind]) + 1
        key = digest(kind, record.programme_id, source_id, record.record_id)
        row: Row = {
            "event_id": digest(delivery_id, kind, row_number, source_cell),
            "record_key": key,
            "content_hash": digest(record.model_dump_json()),
            "source_id": source_id,
            "delivery_id": delivery_id,
            "interpretation_id": "interp-1",
            "source_row": row_number,
            "source_cell": source_cell,
            "known_at": known_at or self.known_at,
            "contract_version": record.contract_version,
            "present_outcome": outcome,
        }
        for column in columns(type(record)):
            if column.stored_name is None:
                continue
            value = getattr(record, column.name)
            if column.is_person and value is not None:
                value = self._pseudonyms(value, column.name)
            row[column.stored_name] = _plain(value)
        self.rows[kind].append(row)
        return key

    def table(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows to a raw table that is not a kind of record."""
        self.rows[name].extend(rows)

    def note(self, kind: str, record_key: str, code: str, detail: str | None = None) -> None:
        """Add a note about an accepted record."""
        event = next(r for r in self.rows[kind] if r["record_key"] == record_key)
        pointers = ("event_id", "delivery_id", "interpretation_id", "source_id", "source_row")
        self.rows["note"].append(
            {name: event[name] for name in pointers}
            | {"kind": kind, "record_key": record_key, "code": code, "detail": detail}
        )

    def write(self, path: Path) -> None:
        """Write everything into a DuckDB file, made anew."""
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            self.write_into(connection)

    def write_into(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Replace the contents of every raw table."""
        create_raw(connection)
        connection.begin()
        for table in raw_tables():
            connection.execute(f'delete from raw."{table}"')
            for row in self._rows_of(table):
                insert(connection, table, row)
        connection.commit()

    def _rows_of(self, table: str) -> Sequence[Row]:
        if table == "identity":
            return self.rows["identity"] + [
                {
                    "pseudonym": code,
                    "namespace_id": "example",
                    "role": role,
                    "person_key": person_key(person_id, role),
                    "known_at": self.known_at,
                }
                for (person_id, role), code in self.people.items()
            ]
        if table == "build_input" and not self.rows["build_input"]:
            return [
                {
                    "build_id": "build-1",
                    "as_of": self.as_of,
                    "known_at": self.known_at,
                    "time_zone": self.time_zone,
                    "code_version": "test",
                }
            ]
        if table == "refused":
            return [{"is_open": True} | row for row in self.rows["refused"]]
        return self.rows[table]

    def _pseudonyms(self, value: str | list[str], column: str) -> str | list[str]:
        if isinstance(value, list):
            return [str(self._pseudonyms(one, column)) for one in value]
        role = "learner" if column in LEARNERS else "assessor"
        return self.people.setdefault((value, role), pseudonym(value))


def insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    connection.execute(f'insert into raw."{table}" ({names}) values ({marks})', [*row.values()])


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
