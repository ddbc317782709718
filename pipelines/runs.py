"""What each run did: one small file a stage, under `runs/<run>/`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.home import Home, write_atomically

if TYPE_CHECKING:
    from pipelines.intake.ledger import Tally

Status = Literal["done", "skipped", "failed"]

STAGES = (
    "receive",
    "read",
    "validate",
    "check",
    "segment",
    "load",
    "calibrate",
    "build",
    "audit",
    "publish",
    "pack",
)
"""The stages of a run, in order."""

DONE, ATTENTION, FAILED = 0, 1, 3


@dataclass(frozen=True)
class StageRecord:
    """What one stage of a run did."""

    run_id: str
    stage: str
    status: Status
    seconds: float
    message: str | None
    report: Any


def new_run_id() -> str:
    """Return an id for a run that starts now."""
    return datetime.now(UTC).strftime("run-%Y%m%dT%H%M%S-%f")[:-3]


def file_name(run_id: str) -> str:
    """Return the id of a run as the name of a folder; those of Airflow hold colons."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", run_id)


def folder(home: Home, run_id: str) -> Path:
    """Return where a run is told."""
    return home.runs / file_name(run_id)


def record(
    home: Home,
    run_id: str,
    stage: str,
    report: Any = None,
    *,
    status: Status = "done",
    seconds: float = 0,
    message: str | None = None,
    part: int | str | None = None,
) -> StageRecord:
    """Write down what a stage did.

    Args:
        home: whose run.
        run_id: which run.
        stage: which stage.
        report: what the stage returned: a model, a dataclass, or plain JSON.
        status: how it ended.
        seconds: how long it took.
        message: why it was skipped or failed, or what a person should know.
        part: which batch, where a stage runs once a batch.
    """
    told = StageRecord(run_id, stage, status, round(seconds, 3), message, as_json(report))
    name = stage if part is None else f"{stage}-{part}"
    text = json.dumps(asdict(told), indent=2, ensure_ascii=False)
    write_atomically(folder(home, run_id) / f"{name}.json", text.encode() + b"\n")
    return told


def records(home: Home, run_id: str) -> list[StageRecord]:
    """Return what the stages of a run told, in the order of the pipeline."""
    found = [
        StageRecord(**json.loads(path.read_bytes()))
        for path in sorted(folder(home, run_id).glob("[!.]*.json"))
    ]
    return sorted(found, key=lambda told: _place(told.stage))


def tally_of(home: Home, run_id: str) -> Tally:
    """Return what the ledger comes to: as the run loaded it, or else worked out from the log.

    A run that stopped before its load, or that loaded a past day, tells nothing of the present.
    """
    from pipelines.intake.ledger import ledger, tally, tally_as_loaded

    for told in records(home, run_id):
        if told.stage == "load" and told.status == "done" and told.report["is_present"]:
            return tally_as_loaded(home, told.report["statuses"], told.report["records"])
    return tally(ledger(home))


def exit_code(home: Home, run_id: str, tally: Tally) -> int:
    """Return 3 where a stage failed, 1 where something waits for a person, else 0.

    Args:
        home: where the run was.
        run_id: the run.
        tally: what the ledger comes to.
    """
    from pipelines.warehouse.findings import open_findings

    told = records(home, run_id)
    if any(stage.status == "failed" for stage in told):
        return FAILED
    if any(stage.message for stage in told if stage.status == "done"):
        return ATTENTION
    if tally.needs_a_person or open_findings(home):
        return ATTENTION
    return DONE


def as_json(report: Any) -> Any:
    """Return a report as plain JSON."""
    if hasattr(report, "model_dump"):
        return report.model_dump(mode="json")
    if is_dataclass(report) and not isinstance(report, type):
        return as_json(asdict(report))
    if isinstance(report, Mapping):
        return {str(key): as_json(value) for key, value in report.items()}
    if isinstance(report, list | tuple):
        return [as_json(item) for item in report]
    if report is None or isinstance(report, bool | int | float | str):
        return report
    return str(report)


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)
