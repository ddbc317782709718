"""Runs dbt in process, quietly, with the settings of a home."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.dbt_project import project_folder, target_folder
from pipelines.warehouse.parsed_project import invoke_parsed, is_parsed

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt_common.events.base_types import EventMsg

Progress = Callable[[int, int], None]
"""Called with the nodes that have ended so far, and how many there are."""


def invoke(
    home: Home,
    settings: Settings,
    project: Path,
    command: str,
    *options: str,
    progress: Progress | None = None,
) -> dbtRunnerResult:
    """Run one dbt command; artefacts and log go to the home, nothing to the terminal."""
    target = target_folder(home)
    arguments = [
        *command.split(),
        *("--project-dir", str(project)),
        *("--profiles-dir", str(project)),
        *("--target-path", str(target)),
        *("--log-path", str(target / "logs")),
        *("--threads", str(settings.workers)),
        *("--log-level", "none"),
        *("--log-level-file", "info"),
        "--quiet",
        "--no-use-colors",
        "--no-version-check",
        *options,
    ]
    with _environment(home, settings), _without_collecting():
        try:
            return invoke_parsed(project, target, arguments, _callbacks(progress))
        finally:
            _close_log()


def _callbacks(progress: Progress | None) -> list[Callable[[EventMsg], None]]:
    return [] if progress is None else [_Nodes(progress).hear]


class _Nodes:
    """Counts the nodes of a dbt command as they end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = self._total = 0

    def hear(self, event: EventMsg) -> None:
        """Take note of an event of dbt; most mean nothing here."""
        if event.info.name == "ConcurrencyLine":
            self._total = event.data.node_count
        elif event.info.name == "NodeFinished":
            self._done += 1
            self._progress(self._done, max(self._done, self._total))


def parse_ahead(home: Home, settings: Settings, project: Path | None = None) -> BaseProcess | None:
    """Start parsing a project in a process of its own, where it is not parsed yet.

    Parsing takes seconds and no data: done while deliveries are read, it costs a run nothing.
    """
    project = project or project_folder()
    if is_parsed(project, target_folder(home)):
        return None
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_parse, args=(home, settings, project), daemon=True)
    process.start()
    return process


def _parse(home: Home, settings: Settings, project: Path) -> None:
    invoke(home, settings, project, "parse")


@contextmanager
def _environment(home: Home, settings: Settings) -> Iterator[None]:
    """Set what the profile reads, for the time of one dbt command."""
    wanted = {
        "TESSERA_WAREHOUSE": str(home.warehouse),
        "TESSERA_MEMORY_LIMIT": settings.memory_limit,
        "TESSERA_LEARNERS_AT_ONCE": str(settings.learners_at_once),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the garbage collector from walking dbt's big graph of nodes again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _close_log() -> None:
    """Close the log file, which dbt leaves open for the rest of the process."""
    logger = logging.getLogger("file_log")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
