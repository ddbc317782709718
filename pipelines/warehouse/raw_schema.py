"""The tables of the schema `raw`: what dbt reads, and all that dbt reads."""

from __future__ import annotations

import hashlib
import json

import duckdb

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import duckdb_type, segment_schema

NUMBER = "decimal(18, 6)"

LOCATION = {
    "delivery_id": "varchar",
    "interpretation_id": "varchar",
    "source_id": "varchar",
    "source_row": "bigint",
    "source_cell": "varchar",
    "kind": "varchar",
    "record_key": "varchar",
    "code": "varchar",
    "field": "varchar",
}

OTHER_TABLES: dict[str, dict[str, str]] = {
    "receipt": {
        "receipt_id": "varchar",
        "delivery_id": "varchar",
        "source_id": "varchar",
        "file": "varchar",
        "bytes": "bigint",
        "sha256": "varchar",
        "known_at": "timestamptz",
        "status": "varchar",
        "code": "varchar",
        "reason": "varchar",
        "owner": "varchar",
    },
    "intake_record": {
        "delivery_id": "varchar",
        "interpretation_id": "varchar",
        "source_id": "varchar",
        "file": "varchar",
        "sha256": "varchar",
        "known_at": "timestamptz",
        "status": "varchar",
        "hold_rule": "varchar",
        "hold_reason": "varchar",
        "hold_owner": "varchar",
        "check_verdict": "varchar",
        "source_rows": "bigint",
        "rows_read": "bigint",
        "n_accepted_events": "bigint",
        "n_refused": "bigint",
        "accepted_events": "json",
        "reasons": "json",
        "notes": "json",
        "check_results": "json",
        "spec_version": "varchar",
        "contract_versions": "json",
        "created_by_code_version": "varchar",
    },
    "refused": LOCATION
    | {
        "message": "varchar",
        "value_masked": "varchar",
        "suggestion": "varchar",
        "owner": "varchar",
        "is_first": "boolean",
    },
    "note": {"event_id": "varchar"} | LOCATION | {"detail": "varchar"},
    "identity": {
        "pseudonym": "varchar",
        "namespace_id": "varchar",
        "role": "varchar",
        "person_key": "varchar",
        "known_at": "timestamptz",
    },
    "rule_set": {
        "rule_set_id": "varchar",
        "rule_version": "varchar",
        "title": "varchar",
        "effective_from": "date",
        "known_from": "date",
        "is_default": "boolean",
        "programme_id": "varchar",
        "stage_id": "varchar",
        "rule_id": "varchar",
        "words": "varchar",
        "threshold_name": "varchar",
        "threshold_value": NUMBER,
        "unit": "varchar",
        "source": "varchar",
    },
    "ai_policy_level": {
        "ai_policy_scale": "varchar",
        "ai_policy_scale_version": "varchar",
        "title": "varchar",
        "effective_from": "date",
        "known_from": "date",
        "level": "bigint",
        "level_label": "varchar",
        "words": "varchar",
        "allows_use": "boolean",
        "requires_declaration": "boolean",
        "max_extent": "varchar",
        "allowed_stages": "varchar[]",
        "source": "varchar",
    },
    "scale_level": {
        "scale_id": "varchar",
        "scale_version": "varchar",
        "level": "bigint",
        "level_label": "varchar",
        "is_target": "boolean",
        "direction": "varchar",
        "source": "varchar",
    },
    "instrument": {
        "instrument_id": "varchar",
        "title": "varchar",
        "method_family": "varchar",
        "stake": NUMBER,
        "assurance_level": "varchar",
        "direction": "varchar",
        "source": "varchar",
    },
    "build_input": {
        "build_id": "varchar",
        "as_of": "date",
        "known_at": "timestamptz",
        "time_zone": "varchar",
        "code_version": "varchar",
        "calibration_version": "varchar",
    },
}
"""Every raw table that is not a kind of record, with the types of its columns."""


def raw_tables() -> dict[str, dict[str, str]]:
    """Return every table of the schema `raw`: its columns and their DuckDB types, in order."""
    kinds = {
        kind: {name: duckdb_type(dtype) for name, dtype in segment_schema(contract).items()}
        | {"present_outcome": "varchar"}
        for kind, contract in CONTRACTS.items()
    }
    return kinds | OTHER_TABLES


def fingerprint() -> str:
    """Return a name for the present shape of the raw tables."""
    return hashlib.sha256(json.dumps(raw_tables()).encode()).hexdigest()[:16]


def create_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables, empty, unless they stand already in the present shape.

    Tables of another shape are dropped: all they hold can be loaded from the log again.
    """
    if _standing_fingerprint(con) == fingerprint():
        return
    con.execute("drop schema if exists raw cascade")
    con.execute("create schema raw")
    for table, columns in raw_tables().items():
        body = ", ".join(f'"{name}" {dtype}' for name, dtype in columns.items())
        con.execute(f'create table raw."{table}" ({body})')
    con.execute("create table raw.raw_schema (fingerprint varchar)")
    con.execute("insert into raw.raw_schema values (?)", [fingerprint()])


def _standing_fingerprint(con: duckdb.DuckDBPyConnection) -> str | None:
    stands = con.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'raw_schema'"
    ).fetchall()
    if not stands:
        return None
    rows = con.execute("select fingerprint from raw.raw_schema").fetchall()
    return str(rows[0][0]) if rows else None
