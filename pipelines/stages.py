"""The stages as an orchestrator calls them: by ids alone, each with its report on record.

Every function opens the home of the environment, does one stage of one run, and may be called again
after it was killed. Heavy libraries are imported by the stages themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines import runs
from pipelines.home import Home
from pipelines.settings import Settings

Batch = dict[str, Any]
Report = TypeVar("Report")


class StoppedError(Exception):
    """A gate said no: trying again would not help."""


def run_name(run_id: str | None, announcements: Iterable[Any] = ()) -> str:
    """Return the run that a task belongs to: the newest that was announced, if any was.

    Args:
        run_id: what Airflow calls the run that the task is in.
        announcements: the events of the evidence log that started it.
    """
    announced = [event.extra["run_id"] for event in announcements if "run_id" in event.extra]
    return str(announced[-1] if announced else run_id)


def pulled_sources() -> list[str]:
    """Return the sources whose statements are pulled from a store."""
    from pipelines.sources import catalogue
    from pipelines.sources.lrs.source import pulled_sources

    _, settings = _open()
    return pulled_sources(catalogue.load(settings).sources)


def pull(run_id: str, source: str, uri: str | None = None) -> None:
    """Pull the new statements of one source into the inbox.

    Args:
        run_id: the run that the task belongs to.
        source: the source.
        uri: the address of its store with name and password, where the orchestrator keeps it.

    Raises:
        StoppedError: it is not configured how the store is asked.
    """
    from pipelines.sources import catalogue
    from pipelines.sources.lrs.access import AccessError
    from pipelines.sources.lrs.source import pull_source

    home, settings = _open()
    spec = catalogue.load(settings).sources[source]
    with _gate(AccessError), _recorded(home, run_id, "pull", source) as told:
        told.report = pull_source(home, spec, uri=uri)


def receive(run_id: str) -> dict[str, Any]:
    """Receive what lies in the inbox; return the run and the deliveries that are to be read."""
    from pipelines.intake.receive import receive

    report = _perform(run_id, "receive", receive)
    return {"run_id": run_id, "pending": report.pending}


def batches(received: dict[str, Any]) -> list[Batch]:
    """Split what is to be read into batches, named by their deliveries."""
    from pipelines.intake.batches import plan

    home, _ = _open()
    return [
        {
            "run_id": received["run_id"],
            "number": number,
            "name": _batch_name(deliveries),
            "deliveries": deliveries,
        }
        for number, deliveries in enumerate(plan(home, received["pending"]))
    ]


def read(batch: Batch) -> None:
    """Read the deliveries of a batch by their sources' specs."""
    from pipelines.intake.read import read

    _perform_each(batch, "read", read)


def validate(batch: Batch) -> None:
    """Judge every record of a batch by its contract."""
    from pipelines.intake.validate import validate

    _perform_each(batch, "validate", validate)


def check(batch: Batch) -> None:
    """Check what each delivery of a batch promises."""
    from pipelines.intake.check import check

    _perform_each(batch, "check", check)


def segment(batch: Batch) -> None:
    """Commit the deliveries of a batch to the evidence log."""
    from pipelines.intake.segment import commit

    _perform_each(batch, "segment", commit)


def announce(received: dict[str, Any]) -> dict[str, Any]:
    """Return what the run tells those who wait for the evidence log."""
    return {"run_id": received["run_id"], "n_deliveries": len(received["pending"])}


def load(run_id: str) -> str:
    """Load the evidence log into the warehouse; return the run."""
    from pipelines.warehouse.load import load

    _perform(run_id, "load", load)
    return run_id


def has_news() -> bool:
    """Tell whether the current edition, or its pack, would be another one if it were made now."""
    from pipelines.warehouse.build import present_inputs
    from pipelines.warehouse.editions import current_id

    home, settings = _open()
    edition_id = present_inputs(home, settings).build_id
    return current_id(home) != edition_id or not (home.packs / edition_id).exists()


def calibrate(
    run_id: str, *, only_if_missing: bool = False, meeting_id: str | None = None
) -> dict[str, Any]:
    """Calibrate; return what the run tells those who wait for the evidence log.

    Args:
        run_id: the run.
        only_if_missing: keep the calibration in force, where there is one.
        meeting_id: the meeting whose pack is about to be frozen, for which this is a refit.

    Raises:
        StoppedError: no committee of the log has that meeting.
    """
    from pipelines.warehouse.calibration import UnknownMeetingError, calibrate

    with _gate(UnknownMeetingError):
        _perform(
            run_id,
            "calibrate",
            lambda home, settings: calibrate(home, settings, only_if_missing, meeting_id),
        )
    return {"run_id": run_id}


def build(run_id: str) -> None:
    """Build the marts and run their tests.

    Raises:
        StoppedError: a model or a test failed.
    """
    from pipelines.warehouse.build import BuildError, build

    with _gate(BuildError):
        _perform(run_id, "build", build)


def audit(run_id: str) -> None:
    """Audit the candidate.

    Raises:
        StoppedError: it may not be published.
    """
    from pipelines.warehouse.audit import audit

    _perform(run_id, "audit", audit)


def publish(run_id: str) -> str:
    """Publish the candidate; return the edition that is current then.

    Raises:
        StoppedError: the candidate has not passed its audit.
    """
    from pipelines.warehouse.editions import current_id
    from pipelines.warehouse.publish import PublishError, publish

    home, _ = _open()
    with _gate(PublishError):
        return _perform(run_id, "publish", publish) or current_id(home) or ""


def pack(run_id: str) -> None:
    """Make the committee pack of the current edition."""
    from pipelines.committee.pack import build

    _perform(run_id, "pack", build)


def freeze(run_id: str, meeting_id: str) -> dict[str, str]:
    """Freeze the pack of the current edition for a meeting; return which pack it is.

    Raises:
        StoppedError: the edition knows no such meeting, or there is no edition.
    """
    from pipelines.committee.freeze import freeze
    from pipelines.committee.pack import PackError

    with _gate(PackError):
        frozen = _perform(
            run_id, "freeze", lambda home, settings: freeze(home, settings, meeting_id, run_id)
        )
    return {"run_id": run_id, "meeting_id": meeting_id, "freeze_id": frozen.freeze_id}


def release(frozen: dict[str, str], response: dict[str, Any]) -> bool:
    """Put on record what a person answered about a frozen pack; return whether it is released.

    Args:
        frozen: which pack.
        response: what Airflow's human-in-the-loop task gave back.
    """
    from datetime import UTC, datetime

    from pipelines.committee.freeze import frozen_pack
    from pipelines.committee.release import REJECT, Answer, settle

    user = response.get("responded_by_user") or {}
    chosen = response.get("chosen_options") or [REJECT]
    answer = Answer(
        chosen=chosen[0],
        account=user.get("name") or user.get("id"),
        answered_at=response.get("responded_at") or datetime.now(UTC),
        reason=(response.get("params_input") or {}).get("reason") or None,
    )
    home, settings = _open()
    pack = frozen_pack(home, frozen["meeting_id"], frozen["freeze_id"])
    with _recorded(home, frozen["run_id"], "release") as told:
        told.report = settled = settle(home, settings, pack, answer)
    return settled.is_released


def decide(run_id: str, asked: dict[str, Any], account: str | None) -> str:
    """Record the decision that somebody sent with a form; return its record id.

    Args:
        run_id: the run that the form started.
        asked: the fields of the form.
        account: who sent it, as Airflow knows them; none where it was no person.

    Raises:
        StoppedError: it cannot be recorded; the message says why, and what to do.
    """
    from datetime import UTC, datetime

    from pipelines.committee.asking import decide
    from pipelines.committee.edition import EditionError
    from pipelines.committee.pack import PackError
    from pipelines.identity.named import UnnamedError
    from pipelines.sources.faults import SourceError

    home, settings = _open()
    stopping = (PackError, EditionError, UnnamedError, SourceError)
    with _gate(stopping), _recorded(home, run_id, "decide") as told:
        taken = decide(home, settings, asked, account, datetime.now(UTC))
        (decided,) = taken.decided
        told.report = {
            "record_id": decided.record_id,
            "actions": decided.n_actions,
            "warnings": list(taken.warnings),
        }
    return decided.record_id


def clear_leftovers(run_id: str) -> None:
    """Clear old work in progress away."""
    from pipelines.housekeeping import clear_leftovers

    _perform(run_id, "clear_leftovers", lambda home, _: clear_leftovers(home))


def verify_editions(run_id: str) -> None:
    """Read every edition again.

    Raises:
        StoppedError: one is not as it was published.
    """
    from pipelines.housekeeping import verify_editions

    report = _perform(run_id, "verify_editions", lambda home, _: verify_editions(home))
    if report.problems:
        raise StoppedError(
            "\n".join(f"{name}: {'; '.join(wrong)}" for name, wrong in report.problems.items())
        )


def _open() -> tuple[Home, Settings]:
    settings = Settings()
    return Home.open(settings.home), settings


@contextmanager
def _gate(closed: type[Exception] | tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except closed as error:
        raise StoppedError(str(error)) from error


def _perform(run_id: str, stage: str, work: Callable[[Home, Settings], Report]) -> Report:
    home, settings = _open()
    with _recorded(home, run_id, stage) as told:
        told.report = report = work(home, settings)
        if getattr(report, "verdict", None) == "fail":
            from pipelines.warehouse.audit import refusal

            raise StoppedError(refusal(home, told.report))
    return report


def _perform_each(batch: Batch, stage: str, work: Callable[[Home, Settings, str], Any]) -> None:
    home, settings = _open()
    with _recorded(home, batch["run_id"], stage, batch["number"]) as told:
        told.report = {name: work(home, settings, name) for name in batch["deliveries"]}


@dataclass
class _Told:
    report: Any = None


@contextmanager
def _recorded(
    home: Home, run_id: str, stage: str, part: int | str | None = None
) -> Iterator[_Told]:
    """Put on record what a stage did; of errors that are not ours the kind only.

    What another library says may quote a record: its words are in the log of the task.
    """
    told, began = _Told(), time.monotonic()
    status: runs.Status = "done"
    message = None
    try:
        yield told
    except Exception as error:
        is_ours = type(error).__module__.startswith("pipelines.")
        status, message = "failed", str(error) if is_ours else type(error).__name__
        raise
    finally:
        seconds = time.monotonic() - began
        runs.record(
            home,
            run_id,
            stage,
            told.report,
            status=status,
            seconds=seconds,
            message=message,
            part=part,
        )


def _batch_name(deliveries: list[str]) -> str:
    more = len(deliveries) - 1
    return deliveries[0] + (f" and {more} more" if more else "")
