"""One run of the whole pipeline through Airflow, watched from a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pipelines.embedded_airflow.api import Api, ApiError
from pipelines.runs import new_run_id

INTAKE, PORTFOLIO = "intake", "portfolio"
LOOK_EVERY_SECONDS = 0.5
FOLLOWS_WITHIN_SECONDS = 60
LONGEST_NAME = 76


class RunError(Exception):
    """A task failed for good; the message names it and ends with its log."""


class Terminal(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None:
        """Add a line that stays."""

    def now(self, text: str) -> None:
        """Show what is going on at the moment."""


@dataclass
class Observer:
    """Follows runs of one Airflow and shows what their tasks do."""

    api: Api
    terminal: Terminal
    check: Callable[[], None]
    """Raises when a part of Airflow has ended by itself."""
    told: set[tuple[str, str, int, int, str]] = field(default_factory=set)

    def wait(self) -> None:
        """Let some time pass, and see that Airflow is alive."""
        self.check()
        time.sleep(LOOK_EVERY_SECONDS)

    def wait_for_dags(self, since: datetime) -> None:
        """Wait until the DAG files have been read after the given moment.

        Raises:
            RunError: one cannot be imported.
        """
        self.terminal.now("Airflow reads the DAG files")
        while not all(self._was_read(dag_id, since) for dag_id in (INTAKE, PORTFOLIO)):
            for error in self.api.get("importErrors")["import_errors"]:
                if datetime.fromisoformat(error["timestamp"]) >= since:
                    raise RunError(f"{error['filename']}:\n{error['stack_trace']}")
            self.wait()

    def about_to_receive(self) -> str | None:
        """Return a run of intake that has yet to look into the inbox, if one waits already."""
        active = self.api.get("dags", INTAKE, "dagRuns", state=["queued", "running"])
        for run in active["dag_runs"]:
            where = ("dags", INTAKE, "dagRuns", run["dag_run_id"], "taskInstances", "receive")
            if self.api.get(*where)["state"] in (None, "scheduled", "queued"):
                return str(run["dag_run_id"])
        return None

    def follow(self, dag_id: str, run_id: str) -> None:
        """Tell of each task as it ends, until the run has ended.

        Raises:
            RunError: the run failed.
        """
        described = self.api.get("dags", dag_id, "tasks")["tasks"]
        names = {task["task_id"]: task["task_display_name"] for task in described}
        where = ("dags", dag_id, "dagRuns", run_id)
        while True:
            run = self.api.get(*where)
            tasks = self.api.get(*where, "taskInstances", limit=100)["task_instances"]
            for task in tasks:  # Airflow knows the name of the first of several mapped tasks only
                task["task_display_name"] = names.get(task["task_id"], task["task_id"])
            self._show(run, tasks)
            if run["state"] == "failed":
                failed = [task for task in tasks if task["state"] == "failed"]
                raise RunError("\n\n".join(self._why(task) for task in failed))
            if run["state"] == "success":
                return
            self.wait()

    def follower(self, run_id: str) -> str | None:
        """Return the portfolio run that intake's announcement started, if it announced anything.

        Raises:
            RunError: none started.
        """
        until = time.monotonic() + FOLLOWS_WITHIN_SECONDS
        while time.monotonic() < until:
            events = self._announcements(run_id)
            if events == []:
                return None
            for started in (run for event in events or [] for run in event["created_dagruns"]):
                if started["dag_id"] == PORTFOLIO:
                    return str(started["run_id"])
            active = self.api.get("dags", PORTFOLIO, "dagRuns", state=["queued", "running"])
            if active["total_entries"]:
                self.terminal.now("an earlier run of the portfolio goes first")
                until = time.monotonic() + FOLLOWS_WITHIN_SECONDS
            self.wait()
        raise RunError("intake announced new evidence, but the portfolio did not start")

    def _announcements(self, run_id: str) -> list[dict[str, Any]] | None:
        """Return what a run of intake announced; nothing while Airflow cannot tell."""
        query = {"source_dag_id": INTAKE, "source_run_id": run_id}
        try:
            found: list[dict[str, Any]] = self.api.get("assets", "events", **query)["asset_events"]
        except ApiError as error:
            if error.status == 500:  # as long as a run that an event started is only queued
                return None
            raise
        return found

    def _was_read(self, dag_id: str, since: datetime) -> bool:
        try:
            read = self.api.get("dags", dag_id)["last_parsed_time"]
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return read is not None and datetime.fromisoformat(read) >= since

    def _show(self, run: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        for task in sorted(tasks, key=lambda task: task["end_date"] or "9"):
            key = (
                run["dag_run_id"],
                task["task_id"],
                task["map_index"],
                task["try_number"],
                task["state"],
            )
            if key not in self.told and (text := outcome(task)):
                self.terminal.line(text)
                self.told.add(key)
        running = [name(task) for task in tasks if task["state"] == "running"]
        self.terminal.now(" · ".join(running) if running else f"{run['state']} …")

    def _why(self, task: dict[str, Any]) -> str:
        where = ("dags", task["dag_id"], "dagRuns", task["dag_run_id"], "taskInstances")
        query = {"map_index": task["map_index"], "full_content": True}
        log = self.api.get(*where, task["task_id"], "logs", str(task["try_number"]), **query)
        ending = "\n".join(f"  {line}" for line in log_lines(log["content"]))
        return f"{name(task)} failed. Its log ends:\n{ending}"


def run_once(observer: Observer, since: datetime) -> str:
    """Run intake, then the portfolio if intake announces something new; return the run id.

    Raises:
        RunError: a task failed for good.
    """
    observer.wait_for_dags(since)
    if (run_id := observer.about_to_receive()) is None:
        run_id = new_run_id()
        body = {"dag_run_id": run_id, "logical_date": None}
        observer.api.post("dags", INTAKE, "dagRuns", body=body)
    observer.terminal.line("Intake")
    observer.follow(INTAKE, run_id)
    if (following := observer.follower(run_id)) is not None:
        observer.terminal.line("Portfolio")
        observer.follow(PORTFOLIO, following)
    return run_id


def name(task: dict[str, Any]) -> str:
    """Return what a task is called, with its batch."""
    batch = task["rendered_map_index"]
    whole = f"{task['task_display_name']} [{batch}]" if batch else str(task["task_display_name"])
    return whole if len(whole) <= LONGEST_NAME else whole[: LONGEST_NAME - 1] + "…"


def outcome(task: dict[str, Any]) -> str | None:
    """Return the line that tells how a task ended, if it did anything."""
    seconds = f"  {task['duration'] or 0:6.1f} s  {name(task)}"
    match task["state"]:
        case "success" if task["operator"] != "EmptyOperator":
            return seconds
        case "up_for_retry":
            return f"{seconds}: failed, is tried again"
        case "failed":
            return f"{seconds}: failed"
        case _:
            return None


def log_lines(content: list[Any], last: int = 15) -> list[str]:
    """Return the last lines of a task's log, faults included."""
    lines: list[str] = []
    for entry in content:
        if isinstance(entry, dict):
            lines.append(str(entry.get("event", "")))
            lines += [
                f"{fault['exc_type']}: {fault['exc_value']}"
                for fault in entry.get("error_detail") or []
            ]
        else:
            lines += str(entry).splitlines()
    return [line for line in lines if line.strip()][-last:]
