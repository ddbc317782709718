"""Calibrations: how strict assessors are and how much ratings vary, estimated now and then.

A calibration is an artefact with a version, not a nightly refit: one new rating must not move every
learner. It lies under `calibrations/<version>/`, never changes, and is named by the hash of what it
was estimated from; `calibrations/current` says which one is in force.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from pipelines.home import Home, point, sync, write_atomically
from pipelines.settings import Settings
from pipelines.warehouse.calibration_estimates import (
    KEYS,
    MIN_MAIN_BLOCK_SHARE,
    MODEL_VERSION,
    NORM_TABLES,
    TABLES,
    estimates,
    norms,
)
from pipelines.warehouse.calibration_inputs import OPEN_WORK, PEERS, RATINGS, TARGETS
from pipelines.warehouse.connection import WarehouseError, open_warehouse, transaction
from pipelines.warehouse.raw_schema import refuse_earlier_shape

PATIENCE = 60.0
CURRENT = "current"
MANIFEST = "calibration.json"
REFITS = "refits.jsonl"
"""Which calibration was refitted for which meeting, one line each."""


class UnknownMeetingError(WarehouseError):
    """No committee of the log has the meeting that a calibration is refitted for."""


@dataclass(frozen=True)
class CalibrationReport:
    """What calibrating gave.

    Attributes:
        calibration_version: the calibration in force now; None where there are no ratings.
        is_new: whether it was estimated just now.
        n_ratings: ratings that it rests on.
        scales: one sentence for each programme, scale, version of it and direction.
    """

    calibration_version: str | None
    is_new: bool
    n_ratings: int
    scales: dict[str, str]


def calibrate(
    home: Home,
    settings: Settings,
    only_if_missing: bool = False,
    meeting_id: str | None = None,
) -> CalibrationReport:
    """Estimate from the ratings in `raw`, and put the estimates into `raw`.

    Args:
        home: whose warehouse and calibrations.
        settings: memory and threads.
        only_if_missing: keep the calibration in force, where there is one.
        meeting_id: the meeting whose pack is about to be frozen, for which this is a refit.

    Raises:
        UnknownMeetingError: no committee of the log has that meeting.
        WarehouseError: an earlier version filled the warehouse.
    """
    with home.writing(timeout=PATIENCE):
        version = current_version(home) if only_if_missing else None
        is_new = False
        with open_warehouse(home, settings) as con:
            refuse_earlier_shape(con)
            if meeting_id is not None:
                _refuse_unknown_meeting(con, meeting_id)
            if version is None:
                version, is_new = _estimate(home, con)
            if version is not None:
                _fill(con, home, version)
        if version is not None and meeting_id is not None:
            _note_refit(home, meeting_id, version)
    if version is None:
        return CalibrationReport(None, False, 0, {})
    manifest = json.loads((home.calibrations / version / MANIFEST).read_bytes())
    return CalibrationReport(version, is_new, manifest["n_ratings"], manifest["sentences"])


def refits(home: Home) -> list[dict[str, str]]:
    """Return for which meetings calibrations were refitted: meeting, version and instant."""
    path = home.calibrations / REFITS
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _note_refit(home: Home, meeting_id: str, version: str) -> None:
    """Add a line, unless the last refit for that meeting was the same."""
    told = refits(home)
    last = [one["calibration_version"] for one in told if one["meeting_id"] == meeting_id][-1:]
    if last == [version]:
        return
    told.append(
        {
            "meeting_id": meeting_id,
            "calibration_version": version,
            "refitted_at": datetime.now(UTC).isoformat(),
        }
    )
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told)
    write_atomically(home.calibrations / REFITS, lines.encode())


def _refuse_unknown_meeting(con: duckdb.DuckDBPyConnection, meeting_id: str) -> None:
    known = con.execute(
        "select distinct meeting_id from raw.committee "
        "where present_outcome = 'accepted' and meeting_id is not null order by all"
    ).fetchall()
    names = [name for (name,) in known]
    if meeting_id not in names:
        raise UnknownMeetingError(
            f"no committee has a meeting {meeting_id!r}; there are: {', '.join(names) or 'none'}"
        )


def put_in_raw(home: Home, settings: Settings, version: str) -> None:
    """Put a calibration that was made before into `raw`, without putting it in force.

    Raises:
        WarehouseError: the home keeps no such calibration.
    """
    if not (home.calibrations / version / MANIFEST).exists():
        raise WarehouseError(f"there is no calibration {version}: restore calibrations/{version}")
    with open_warehouse(home, settings) as con:
        _fill(con, home, version)


def current_version(home: Home) -> str | None:
    """Return the calibration in force, or None."""
    link = home.calibrations / CURRENT
    return link.resolve().name if link.exists() else None


def _estimate(home: Home, con: duckdb.DuckDBPyConnection) -> tuple[str | None, bool]:
    """Make the calibration of what is in `raw` unless it stands, and put it in force."""
    ratings, targets = con.sql(RATINGS).pl(), con.sql(TARGETS).pl()
    if ratings.is_empty():
        return None, False
    normed = norms(con.sql(PEERS).pl(), con.sql(OPEN_WORK).pl())
    ordered = ratings.sort(ratings.columns)
    inputs = {
        "model_version": MODEL_VERSION,
        "min_main_block_share": MIN_MAIN_BLOCK_SHARE,
        "ratings": _hash(ordered),
        "targets": _hash(targets.sort(targets.columns)),
        "norms": [_hash(table) for table in normed.values()],
    }
    version = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    is_new = not (home.calibrations / version).exists()
    if is_new:
        _write(home, version, inputs, ordered.height, estimates(ordered, targets) | normed)
    point(home.calibrations / CURRENT, version)
    return version, is_new


def _hash(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def _write(
    home: Home,
    version: str,
    inputs: dict[str, Any],
    n_ratings: int,
    tables: dict[str, pl.DataFrame],
) -> None:
    draft = home.calibrations / f".draft-{version}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, table in tables.items():
        table.write_parquet(draft / f"{name}.parquet")
    summary = tables["calibration_connectivity"]
    manifest = {
        "calibration_version": version,
        "created_at": datetime.now(UTC).isoformat(),
        "inputs": inputs,
        "model": "level = mean + learner + assessor + competency + learner x assessor + residual",
        "label": next((label for label in summary["label"] if label), None),
        "n_ratings": n_ratings,
        "sentences": {
            " ".join(row[name] for name in KEYS if row[name]): row["sentence"]
            for row in summary.iter_rows(named=True)
        },
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in draft.iterdir():
        sync(path)
    sync(draft)
    draft.rename(home.calibrations / version)


def _fill(con: duckdb.DuckDBPyConnection, home: Home, version: str) -> None:
    """Put a calibration into `raw`, in the place of any other.

    One that an older version made has no rows for tables and columns that came later.
    """
    with transaction(con):
        for table, schema in (TABLES | NORM_TABLES).items():
            path = home.calibrations / version / f"{table}.parquet"
            con.execute(f"delete from raw.{table}")
            if not path.exists():
                continue
            kept = [name for name in pl.read_parquet_schema(path) if name in schema]
            con.execute(
                f"insert into raw.{table} by name "
                f"select ? as calibration_version, {', '.join(kept)} from read_parquet(?)",
                [version, str(path)],
            )
