"""What a delivery promises as a whole is judged: pass, warn, or hold it whole."""

from __future__ import annotations

import gc
import json
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from expectations.outcome import Finding, gravest, verdict_of
from pipelines.home import Home, write_atomically
from pipelines.intake.feeds import Feeds, load_feeds, source_of
from pipelines.intake.records import Hold, first_receipt, segments_by_kind
from pipelines.intake.staging import Staging
from pipelines.intake.validate import StageError, ValidateReport
from pipelines.settings import Settings

if TYPE_CHECKING:
    from expectations.delivery import Delivery
    from expectations.engine import Engine
    from pipelines.intake.feeds import Feed
    from pipelines.sources.catalogue import Catalogue

CHECKS = ("expectations.delivery", "expectations.engine")
"""Great Expectations, and what is written for it."""


class CheckReport(BaseModel):
    """What judging one delivery as a whole gave."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    verdict: Literal["pass", "warn", "hold"]
    results: list[dict[str, Any]]
    """Every promise, kept or not: rule, suite, is_kept, severity, owner, sentence."""
    hold: Hold | None = None


def check(
    home: Home,
    settings: Settings,
    delivery_id: str,
    *,
    feeds: Feeds | None = None,
    catalogue: Catalogue | None = None,
) -> CheckReport:
    """Judge what was staged of a delivery against what its source promises.

    Great Expectations takes seconds to start and a fraction of one for a delivery, so check the
    deliveries of a batch in one process.

    Raises:
        StageError: the delivery has not been validated.
    """
    feed = (load_feeds(settings) if feeds is None else feeds)[source_of(delivery_id)]
    staging = Staging.of(home, delivery_id, feed.interpretation_id)
    if staging.check.exists():
        return CheckReport.model_validate_json(staging.check.read_bytes())
    if not staging.validated.exists():
        raise StageError(f"{delivery_id} has not been validated: run the validate stage first")
    report = ValidateReport.model_validate_json(staging.validated.read_bytes())
    findings = (
        _findings(home, settings, feed, report, staging, catalogue) if report.readable else []
    )
    result = _judged(delivery_id, findings)
    write_atomically(
        staging.check, json.dumps(result.model_dump(mode="json"), indent=2).encode() + b"\n"
    )
    return result


@cache
def prepare() -> None:
    """Begin to load Great Expectations, which takes seconds, while other stages run.

    Whoever judges a delivery waits for the end of it, as for any import.
    """
    Thread(target=_import_checks).start()


def _import_checks() -> None:
    """Import what stays in memory.

    Looking for garbage meanwhile is a fifth of the work, and looking through all of it again at
    each later search costs a quarter of a second; and whoever comes back from the disk shall not
    wait for five milliseconds each time. What cannot be imported here, such as a module that
    another thread has half imported, is left to whoever needs it, who is told what is wrong.
    """
    interval = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(interval / 20)
    try:
        for name in CHECKS:
            with suppress(Exception):
                import_module(name)
    finally:
        sys.setswitchinterval(interval)
        gc.freeze()
        gc.enable()


def _judged(delivery_id: str, findings: list[Finding]) -> CheckReport:
    verdict = verdict_of(findings)
    worst = gravest(findings)
    return CheckReport(
        delivery_id=delivery_id,
        verdict="hold" if verdict == "fail" else verdict,
        results=[finding.as_json() for finding in findings],
        hold=Hold(rule=worst.rule, reason=worst.sentence, owner=worst.owner) if worst else None,
    )


def _findings(
    home: Home,
    settings: Settings,
    feed: Feed,
    report: ValidateReport,
    staging: Staging,
    catalogue: Catalogue | None,
) -> list[Finding]:
    from expectations.delivery import suites

    delivery = _delivery(home, settings, feed, report, staging, catalogue)
    return _engine(settings.intake_memory_limit, settings.workers, home.spill).validate(
        suites(delivery)
    )


def _delivery(
    home: Home,
    settings: Settings,
    feed: Feed,
    report: ValidateReport,
    staging: Staging,
    catalogue: Catalogue | None,
) -> Delivery:
    from expectations.delivery import Delivery
    from pipelines.sources import catalogue as catalogues
    from pipelines.sources.spec import Gates

    declared = catalogues.load(settings) if catalogue is None else catalogue
    spec = declared.sources.get(feed.source_id)
    gates = Gates() if spec is None else spec.gates
    if report.replays:
        gates = Gates(max_refused_share=1)
    receipt = first_receipt(home, report.delivery_id)
    levels = declared.codes["scales"].select("scale_id", "scale_version", "level")
    return Delivery(
        owner=feed.owner,
        known_at=receipt.known_at,
        source_rows=report.source_rows,
        rows_read=report.rows_read,
        accepted={k: tuple(paths) for k, paths in segments_by_kind(staging.accepted).items()},
        refused=staging.refused,
        notes=staging.notes,
        scale_levels=tuple(levels.iter_rows()),
        instruments=tuple(declared.codes["instruments"]["instrument_id"]),
        assessor_roles=tuple(declared.codes["assessor_roles"]["assessor_role"]),
        min_rows=gates.min_rows,
        max_rows=gates.max_rows,
        max_refused_share=gates.max_refused_share,
        max_age_days=gates.max_age_days,
        manifest_rows=receipt.manifest_rows,
    )


@cache
def _engine(memory_limit: str, threads: int, spill: Path) -> Engine:
    from expectations.engine import Engine

    return Engine(memory_limit, threads, spill)
