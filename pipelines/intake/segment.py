"""A finished interpretation enters the log whole, by one rename."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import __version__
from pipelines.home import PRIVATE, Home, sync, write_atomically
from pipelines.identity.vault import persons_path
from pipelines.intake.aside import REPLAYS
from pipelines.intake.feeds import Feed, Feeds, load_feeds, source_of
from pipelines.intake.records import (
    INTAKE_RECORD,
    Hold,
    IntakeRecord,
    Receipt,
    first_receipt,
    interpretation_folder,
    is_committed,
)
from pipelines.intake.staging import Staging
from pipelines.intake.validate import StageError, ValidateReport
from pipelines.settings import Settings


def commit(
    home: Home, settings: Settings, delivery_id: str, *, feeds: Feeds | None = None
) -> IntakeRecord:
    """Put what was staged of a delivery into the log.

    What is restricted (persons, originals of refused records) is put in place first; then one
    rename makes the interpretation visible. Running it again changes nothing.

    Raises:
        StageError: the delivery has not been validated or checked.
    """
    feed = (load_feeds(settings) if feeds is None else feeds)[source_of(delivery_id)]
    staging = Staging.of(home, delivery_id, feed.interpretation_id)
    target = interpretation_folder(home, delivery_id, feed.interpretation_id)
    if not is_committed(home, delivery_id, feed.interpretation_id):
        report = _validated(staging)
        record = _intake_record(
            feed, first_receipt(home, delivery_id), report, _verdict(staging), _nameless(staging)
        )
        _finish(staging, record)
        _copy(staging.persons, persons_path(home, delivery_id, feed.interpretation_id))
        _copy(staging.originals, originals_path(home, delivery_id, feed.interpretation_id))
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.finished.rename(target)
        sync(target.parent)
    staging.clear()
    return IntakeRecord.model_validate_json((target / INTAKE_RECORD).read_bytes())


def originals_path(home: Home, delivery_id: str, interpretation_id: str) -> Path:
    """Return where the originals of refused records are kept."""
    return home.refused_originals / delivery_id / f"{interpretation_id}.parquet"


def _validated(staging: Staging) -> ValidateReport:
    if not staging.validated.exists():
        raise StageError(f"{staging.folder.parent.name} has not been validated")
    return ValidateReport.model_validate_json(staging.validated.read_bytes())


def _verdict(staging: Staging) -> dict[str, Any]:
    report = _validated(staging)
    if not staging.check.exists():
        if not report.readable:
            return {}
        raise StageError(f"{report.delivery_id} has not been checked: run the check stage first")
    verdict: dict[str, Any] = json.loads(staging.check.read_bytes())
    return verdict


def _nameless(staging: Staging) -> int:
    refused = pl.scan_parquet(staging.refused)
    counted = refused.filter("is_first", pl.col("record_key").is_null()).select(pl.len()).collect()
    return int(counted.item())


def _intake_record(
    feed: Feed, receipt: Receipt, report: ValidateReport, check: dict[str, Any], nameless: int
) -> IntakeRecord:
    hold = Hold.model_validate(check["hold"]) if check.get("verdict") == "hold" else None
    reasons = dict(report.reasons)
    accepted = sum(report.accepted.values())
    if hold is not None and accepted:
        reasons["held"] = accepted
    status = "unreadable" if not report.readable else "held" if hold is not None else "committed"
    return IntakeRecord(
        delivery_id=report.delivery_id,
        interpretation_id=report.interpretation_id,
        source_id=feed.source_id,
        file=receipt.file,
        sha256=receipt.sha256 or "",
        known_at=report.known_at or receipt.known_at,
        interpreted_at=datetime.now(UTC),
        spec_version=feed.spec_version,
        contract_versions=report.contract_versions,
        status=status,
        hold=hold,
        error=report.error,
        owner=feed.owner,
        source_rows=report.source_rows,
        rows_read=report.rows_read,
        accepted_events=report.accepted,
        refused=report.refused,
        reasons=reasons,
        notes=report.notes,
        read=report.read,
        check=check,
        on_change=feed.on_change,
        snapshot=feed.snapshot,
        vanished=feed.vanished,
        min_snapshot_share=feed.min_snapshot_share,
        nameless=nameless,
        created_by_code_version=__version__,
        waits_for_roster=feed.waits_for_roster,
        min_match_share=None if report.replays else feed.min_match_share,
        max_days_ahead=feed.max_days_ahead,
        replays=report.replays,
    )


def _finish(staging: Staging, record: IntakeRecord) -> None:
    finished = staging.finished
    shutil.rmtree(finished, ignore_errors=True)
    finished.mkdir()
    replays = [staging.read / REPLAYS] if record.replays else []
    events = sorted(staging.accepted.glob("*.parquet"))
    for path in (*events, staging.refused, staging.notes, *replays):
        os.link(path, finished / path.name)
        sync(path)
    write_atomically(finished / INTAKE_RECORD, record.to_bytes())
    sync(finished)


def _copy(source: Path, target: Path) -> None:
    write_atomically(target, source.read_bytes(), PRIVATE)
