"""The whole pipeline in one process: the same stages as under Airflow, in order.

Every stage can be stopped and run again, so a run that was stopped goes on where it was: what is
in the log is not read again, what is loaded is not loaded again, and an edition that stands
already for the same inputs is not made again.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol

from pipelines import runs
from pipelines.home import Home, write_atomically
from pipelines.intake import workers
from pipelines.intake.newcomers import largest_newcomer
from pipelines.runs import StageRecord, Status
from pipelines.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from pipelines.intake.feeds import Feeds
    from pipelines.warehouse.inputs import RulesOf

FUNCTIONS = {
    "receive": "pipelines.intake.receive:receive",
    "read": "pipelines.intake.read:read",
    "validate": "pipelines.intake.validate:validate",
    "check": "pipelines.intake.check:check",
    "segment": "pipelines.intake.segment:commit",
    "load": "pipelines.warehouse.load:load",
    "calibrate": "pipelines.warehouse.calibration:calibrate",
    "build": "pipelines.warehouse.build:build",
    "audit": "pipelines.warehouse.audit:audit",
    "publish": "pipelines.warehouse.publish:publish",
    "pack": "pipelines.committee.pack:build",
}
"""The function of each stage; imported when the stage runs."""

OF_DELIVERY = ("read", "validate", "check", "segment")
COUNTED = {"validate": "records", "load": "records", "build": "nodes"}
"""Stages that tell how many of something are done, and of what."""
NO_PACK = "not asked for"
NOTHING_NEW = "the current edition already shows all this evidence"


class Observer(Protocol):
    """Is told how a run goes on."""

    def starts(self, stage: str, n: int | None = None) -> None:
        """Hear that a stage starts, with `n` deliveries where it goes through deliveries."""

    def advances(self, stage: str) -> None:
        """Hear that one delivery more is done."""

    def tells(self, stage: str, done: int, total: int, unit: str) -> None:
        """Hear how far a stage is with the file or delivery that it is at."""

    def ended(self, record: StageRecord) -> None:
        """Hear what came of a stage."""


class Silence:
    """An observer that does nothing."""

    def starts(self, stage: str, n: int | None = None) -> None:
        """Do nothing."""

    def advances(self, stage: str) -> None:
        """Do nothing."""

    def tells(self, stage: str, done: int, total: int, unit: str) -> None:
        """Do nothing."""

    def ended(self, record: StageRecord) -> None:
        """Do nothing."""


class StageFailedError(Exception):
    """A stage of the run failed; nothing after it was done."""

    def __init__(self, record: StageRecord) -> None:
        super().__init__(record.message)
        self.record = record


class ConfigurationError(Exception):
    """What the site declares cannot be used; the message lists every fault by file and line."""


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for."""

    inbox: Path | None = None
    as_of: date | None = None
    known_at: datetime | None = None
    full_refresh: bool = False
    pack: bool = True
    rules: RulesOf = "then"
    accept_loss: str | None = None


@dataclass(frozen=True)
class _Declared:
    """The specs, read once for all stages."""

    feeds: Feeds
    of_stage: dict[str, dict[str, Any]]

    @classmethod
    def load(cls, settings: Settings) -> _Declared:
        from pipelines.intake.feeds import feeds_of
        from pipelines.rules import RuleFileError, load_catalogue
        from pipelines.sources import catalogue
        from pipelines.sources.faults import SourceError

        try:
            load_catalogue(settings.site)
            loaded = catalogue.load(settings)
        except (RuleFileError, SourceError) as error:
            raise ConfigurationError(str(error)) from None
        feeds = feeds_of(loaded)
        return cls(
            feeds,
            {
                "read": {"catalogue": loaded},
                "validate": {"feeds": feeds},
                "check": {"feeds": feeds, "catalogue": loaded},
                "segment": {"feeds": feeds},
            },
        )


@dataclass
class Run:
    """One run of the whole pipeline on a home."""

    home: Home
    settings: Settings
    wanted: Wanted = field(default_factory=Wanted)
    observer: Observer = field(default_factory=Silence)
    run_id: str = field(default_factory=runs.new_run_id)

    def go(self) -> None:
        """Run every stage.

        Raises:
            ConfigurationError: specs, code lists or rule sets have faults; nothing was done.
            StageFailedError: a stage failed or a gate stopped the run; nothing was published.
        """
        workers.expect(largest_newcomer(self.home, self.wanted.inbox), self.settings.workers)
        declared = _Declared.load(self.settings)
        received = self._stage(
            "receive",
            inbox=self.wanted.inbox,
            feeds=declared.feeds,
            progress=lambda _file, done, size: self._tell_bytes("receive", done, size),
            expect=self._expect,
        )
        if received.pending:
            self._expect(0)
        parsing = _parse_ahead(self.home, self.settings)
        self._take_in(received.pending, declared.of_stage)
        _let_workers_go()
        self._stage("load", known_at=self.wanted.known_at, **self._progress("load"))
        self._stage("calibrate", only_if_missing=True)
        if parsing is not None:
            parsing.join()
        if self._stands() and not self.wanted.full_refresh:
            for stage in ("build", "audit", "publish"):
                self._record(stage, None, 0, "skipped", NOTHING_NEW)
        else:
            self._stage(
                "build",
                as_of=self.wanted.as_of,
                rules=self.wanted.rules,
                full_refresh=self.wanted.full_refresh,
                **self._progress("build"),
            )
            self._stage("audit", accept_loss=self.wanted.accept_loss)
            self._stage("publish")
        if self.wanted.pack:
            self._stage("pack")
        else:
            self._record("pack", None, 0, "skipped", NO_PACK)

    def _expect(self, n_bytes: int) -> None:
        """Begin what takes seconds to begin, once it is known that a file of that size comes."""
        from pipelines.intake import check

        check.prepare()
        workers.expect(n_bytes, self.settings.workers)

    def _take_in(self, delivery_ids: list[str], shared: dict[str, dict[str, Any]]) -> None:
        """Take every delivery as far as the log; one that fails leaves the others alone."""
        seconds = dict.fromkeys(OF_DELIVERY, 0.0)
        told: dict[str, dict[str, Any]] = {stage: {} for stage in OF_DELIVERY}
        failed: dict[str, dict[str, str]] = {stage: {} for stage in OF_DELIVERY}
        self.observer.starts("read", len(delivery_ids))
        for delivery_id in delivery_ids:
            for stage in OF_DELIVERY:
                started = time.perf_counter()
                try:
                    work = _function(stage)
                    given = shared[stage] | self._progress(stage)
                    report = work(self.home, self.settings, delivery_id, **given)
                    told[stage][delivery_id] = runs.as_json(report)
                except Exception as error:  # whatever it is, the other deliveries go on
                    failed[stage][delivery_id] = self._sentence(error, f"{stage}-{delivery_id}")
                    break
                finally:
                    seconds[stage] += time.perf_counter() - started
            self.observer.advances("read")
        for stage in OF_DELIVERY:
            message = "; ".join(f"{key}: {why}" for key, why in sorted(failed[stage].items()))
            status: Status = "done" if delivery_ids else "skipped"
            self._record(stage, told[stage], seconds[stage], status, message or None)

    def _progress(self, stage: str) -> dict[str, Any]:
        """Return what a stage is given to tell how far it is."""
        if stage == "read":
            return {"progress": lambda done, size: self._tell_bytes(stage, done, size)}
        if stage in COUNTED:
            tells, unit = self.observer.tells, COUNTED[stage]
            return {"progress": lambda done, total: tells(stage, done, total, unit)}
        return {}

    def _tell_bytes(self, stage: str, done: int, size: int) -> None:
        self.observer.tells(stage, done >> 20, max(1, size >> 20), "MiB")

    def _stands(self) -> bool:
        """Tell whether the current edition is what a build would give now."""
        from pipelines.warehouse.build import present_inputs
        from pipelines.warehouse.editions import MANIFEST, current_id

        current = current_id(self.home)
        if current is None or not (self.home.editions / current / MANIFEST).is_file():
            return False
        wanted = self.wanted
        inputs = present_inputs(self.home, self.settings, wanted.as_of, wanted.rules)
        return inputs.build_id == current

    def _stage(self, stage: str, **arguments: Any) -> Any:
        self.observer.starts(stage)
        started = time.perf_counter()
        try:
            report = _function(stage)(self.home, self.settings, **arguments)
        except Exception as error:
            seconds = time.perf_counter() - started
            raise StageFailedError(
                self._record(stage, None, seconds, "failed", self._sentence(error, stage))
            ) from error
        seconds = time.perf_counter() - started
        if getattr(report, "verdict", report) == "fail":
            from pipelines.warehouse.audit import refusal

            message = refusal(self.home, report)
            raise StageFailedError(self._record(stage, report, seconds, "failed", message))
        self._record(stage, report, seconds, "done", None)
        return report

    def _record(
        self, stage: str, report: Any, seconds: float, status: Status, message: str | None
    ) -> StageRecord:
        record = runs.record(
            self.home,
            self.run_id,
            stage,
            report,
            status=status,
            seconds=seconds,
            message=message,
        )
        self.observer.ended(record)
        return record

    def _sentence(self, error: Exception, where: str) -> str:
        """Return an error of ours in words; of others only the kind, as they may quote records."""
        if type(error).__module__.startswith("pipelines."):
            return str(error)
        path = self.home.restricted / "failures" / runs.file_name(self.run_id) / f"{where}.txt"
        write_atomically(path, "".join(traceback.format_exception(error)).encode())
        return f"{type(error).__name__}, details in {path}"


def _parse_ahead(home: Home, settings: Settings) -> BaseProcess | None:
    from pipelines.warehouse.dbt_runner import parse_ahead

    return parse_ahead(home, settings)


def _let_workers_go() -> None:
    from pipelines.intake import workers

    workers.close()


def _function(stage: str) -> Callable[..., Any]:
    found: Callable[..., Any] = resolve_name(FUNCTIONS[stage])
    return found
