"""The tables of the schema `raw`: what dbt reads, and all that dbt reads."""

from __future__ import annotations

import hashlib
import json

import duckdb

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import duckdb_type, segment_schema
from pipelines.warehouse.connection import WarehouseError, transaction

KINDS = ("void", *(kind for kind in CONTRACTS if kind != "void"))
"""The tables of events. Voids first: they change the outcome of records of other kinds."""

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
        "owner": "varchar",
        "status": "varchar",
        "error": "varchar",
        "hold_rule": "varchar",
        "hold_reason": "varchar",
        "hold_owner": "varchar",
        "check_verdict": "varchar",
        "source_rows": "bigint",
        "rows_read": "bigint",
        "n_accepted_events": "bigint",
        "n_refused": "bigint",
        "n_replayed": "bigint",
        "n_held": "bigint",
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
        "is_open": "boolean",
    },
    "note": {"event_id": "varchar"} | LOCATION | {"detail": "varchar"},
    "identity": {
        "pseudonym": "varchar",
        "namespace_id": "varchar",
        "role": "varchar",
        "person_key": "varchar",
        "known_at": "timestamptz",
        "valid_from": "date",
        "valid_to": "date",
        "is_known": "boolean",
    },
    "rule_set": {
        "rule_set_id": "varchar",
        "rule_version": "varchar",
        "title": "varchar",
        "effective_from": "date",
        "effective_to": "date",
        "known_from": "date",
        "is_default": "boolean",
        "is_of_site": "boolean",
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
        "effective_to": "date",
        "known_from": "date",
        "is_of_site": "boolean",
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
        "description": "varchar",
        "source": "varchar",
    },
    "assessor_role": {
        "assessor_role": "varchar",
        "title": "varchar",
        "role_group": "varchar",
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
    "calibration_connectivity": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "scale_id": "varchar",
        "scale_version": "varchar",
        "direction": "varchar",
        "n_ratings": "bigint",
        "n_learners": "bigint",
        "n_assessors": "bigint",
        "n_blocks": "bigint",
        "main_block_share": NUMBER,
        "is_connected": "boolean",
        "is_estimated": "boolean",
        "sentence": "varchar",
        "label": "varchar",
        "mean_level": NUMBER,
        "assessors_per_learner": NUMBER,
        "ratings_per_assessor": NUMBER,
    },
    "calibration_component": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "scale_id": "varchar",
        "scale_version": "varchar",
        "direction": "varchar",
        "block": "bigint",
        "component": "varchar",
        "n_levels": "bigint",
        "variance": NUMBER,
        "sd": NUMBER,
        "variance_share": NUMBER,
    },
    "calibration_assessor": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "scale_id": "varchar",
        "scale_version": "varchar",
        "direction": "varchar",
        "block": "bigint",
        "assessor_key": "varchar",
        "n_ratings": "bigint",
        "n_learners": "bigint",
        "raw_mean": NUMBER,
        "effect": NUMBER,
        "standard_error": NUMBER,
    },
    "calibration_target_effect": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "scale_id": "varchar",
        "scale_version": "varchar",
        "direction": "varchar",
        "target_level": "bigint",
        "block": "bigint",
        "component": "varchar",
        "effect_id": "varchar",
        "n_ratings": "bigint",
        "component_variance": NUMBER,
        "effect": NUMBER,
        "standard_error": NUMBER,
        "label": "varchar",
    },
    "calibration_level_norm": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "stage_id": "varchar",
        "quarter": "bigint",
        "instrument_id": "varchar",
        "scale_id": "varchar",
        "scale_version": "varchar",
        "direction": "varchar",
        "level": "bigint",
        "n_ratings": "bigint",
        "n_learners": "bigint",
        "standing": NUMBER,
    },
    "calibration_score_norm": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "task_id": "varchar",
        "n_learners": "bigint",
        "mean_share": NUMBER,
        "sd_share": NUMBER,
    },
    "calibration_spread": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "n_learners": "bigint",
        "quarter_days": "bigint",
        "within_variance": NUMBER,
        "between_variance": NUMBER,
        "competency_variance": NUMBER,
        "open_variance": NUMBER,
        "apart_variance": NUMBER,
        "rise_variance": NUMBER,
    },
    "calibration_offer": {
        "calibration_version": "varchar",
        "programme_id": "varchar",
        "rotation_id": "varchar",
        "competency_id": "varchar",
        "n_ratings": "bigint",
        "n_of_rotation": "bigint",
        "n_learners": "bigint",
    },
    "cut_score": {
        "cut_score_id": "varchar",
        "programme_id": "varchar",
        "task_id": "varchar",
        "sitting_id": "varchar",
        "station_id": "varchar",
        "method": "varchar",
        "cut_score": NUMBER,
        "max_score": NUMBER,
        "standard_error": NUMBER,
        "n_judges": "bigint",
        "n_examinees": "bigint",
        "rmse": NUMBER,
        "r_squared": NUMBER,
        "slope": NUMBER,
        "parameters": "json",
        "panel": "json",
        "sensitivity": "json",
        "decided_by": "varchar",
        "source": "varchar",
        "known_at": "timestamptz",
    },
    "build_input": {
        "build_id": "varchar",
        "as_of": "date",
        "known_at": "timestamptz",
        "time_zone": "varchar",
        "code_version": "varchar",
        "calibration_version": "varchar",
        "rules_on": "date",
    },
    "kept_learner": {
        "scope": "varchar",
        "learner_key": "varchar",
        "fingerprint": "varchar",
    },
}
"""Every raw table that is not a kind of record, with the types of its columns."""


LOAD_STATE: dict[str, dict[str, str]] = {
    "loaded": {
        "delivery_id": "varchar",
        "interpretation_id": "varchar",
        "status": "varchar",
        "known_at": "varchar",
    },
    "snapshot_arrival": {
        "source_id": "varchar",
        "delivery_id": "varchar",
        "arrived_at": "timestamptz",
    },
    "snapshot_register": {
        "source_id": "varchar",
        "delivery_id": "varchar",
        "arrived_at": "timestamptz",
        "withdraws": "boolean",
    },
    "aside": {
        "event_id": "varchar",
        "kind": "varchar",
        "record_key": "varchar",
        "delivery_id": "varchar",
        "source_row": "bigint",
        "source_cell": "varchar",
        "code": "varchar",
        "present_outcome": "varchar",
    },
    "kept_code": {"code": "varchar"},
    "load_state": {"fingerprint": "varchar", "known_at_limit": "timestamptz"},
}
"""What load and build remember for themselves; dbt does not read it."""


HARDLY_REPEATED = frozenset({"event_id", "record_key", "content_hash", "record_id"})
"""Columns of which hardly two rows have the same text. DuckDB looks for a dictionary of every text
column; where there is none to find, that is a third of what storing a million records costs."""


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
    return hashlib.sha256(json.dumps([raw_tables(), LOAD_STATE]).encode()).hexdigest()[:16]


def is_in_present_shape(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the raw tables stand as this version of Tessera makes them."""
    return _standing_fingerprint(con) == fingerprint()


def refuse_earlier_shape(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse raw tables that an earlier version of Tessera made.

    Raises:
        WarehouseError: they stand in another shape; a run loads them again.
    """
    if _standing_fingerprint(con) not in {None, fingerprint()}:
        raise WarehouseError("an earlier Tessera filled this warehouse: run `tessera run` first")


def create_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables, empty, unless they stand already in the present shape.

    Tables of another shape are dropped: all they hold can be loaded from the log again.
    """
    if is_in_present_shape(con):
        return
    with transaction(con):
        con.execute("drop schema if exists raw cascade")
        con.execute("create schema raw")
        for table, columns in (raw_tables() | LOAD_STATE).items():
            body = ", ".join(_column(name, dtype) for name, dtype in columns.items())
            con.execute(f'create table raw."{table}" ({body})')
        con.execute("insert into raw.load_state values (?, null)", [fingerprint()])


def _column(name: str, dtype: str) -> str:
    return f'"{name}" {dtype}' + " using compression uncompressed" * (name in HARDLY_REPEATED)


def _standing_fingerprint(con: duckdb.DuckDBPyConnection) -> str | None:
    stands = con.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'load_state'"
    ).fetchall()
    if not stands:
        return None
    rows = con.execute("select fingerprint from raw.load_state").fetchall()
    return str(rows[0][0]) if rows else None
