"""Runs programs one after the other, in turns, and measures time and memory from outside."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.figures import Figure

SAMPLES_A_SECOND = 20
LARGEST_SHARE = 0.03
"""Of the time: looking at memory must not slow what is looked at."""

PATIENCE = 1800.0
TOLD = 300


Observer = Callable[[str, int], None]
"""Told which contestant runs, and for the how-manieth time."""


def tell_nobody(label: str, number: int) -> None:
    """Do nothing."""
    del label, number


class RunFailedError(Exception):
    """A measured program failed; the message is the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One run of a program."""

    seconds: float
    peak_bytes: int
    told: dict[str, float]
    """Numbers that the program printed about itself, as one JSON object in its last line."""


@dataclass(frozen=True)
class Contestant:
    """A program that does the work, or why it cannot be run.

    Attributes:
        label: its name.
        work: units of work in one run.
        command: the program and its arguments.
        environment: variables beside those of this process.
        prepare: makes ready what a run needs and the next must not find; it is not timed.
        version: of the tool.
        why_not: why it cannot be run.
        timer: the number among those that the program tells which is its time; default: the whole
            process, from its start to its end.
        telling: picks what is told of a run from the program's last line.
    """

    label: str
    work: int
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    version: str = ""
    why_not: str | None = None
    timer: str | None = None
    telling: Callable[[dict[str, Any]], dict[str, Any]] = dict
    good_codes: frozenset[int] = frozenset({0})
    stdin: Path | None = None


def run(contestant: Contestant, patience: float = PATIENCE) -> Run:
    """Run a program once.

    Raises:
        RunFailedError: it failed, or did not end in time.
    """
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        (contestant.stdin or Path(os.devnull)).open("rb") as stdin,
    ):
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                list(contestant.command),
                env=os.environ | dict(contestant.environment),
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise RunFailedError(f"{contestant.command[0]}: {error.strerror}") from None
        watch = _Watch(process.pid)
        try:
            code = process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            watch.end_all()
            process.wait()
            raise RunFailedError(f"not done after {patience:.0f} s") from None
        finally:
            seconds = time.perf_counter() - started
            watch.stop()
        out.seek(0)
        err.seek(0)
        said, complained = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if code not in contestant.good_codes:
        raise RunFailedError(f"ended with {code}: {_tail(complained or said)}")
    told = _told(said, contestant.telling)
    if contestant.timer is not None:
        seconds = told.pop(contestant.timer)
    return Run(seconds, watch.peak_bytes, told)


def interleave(
    contestants: Mapping[str, Contestant],
    rounds: int,
    observer: Observer = tell_nobody,
) -> dict[str, Figure]:
    """Run every contestant once a round, in turns, and return the figure of each.

    In turns, so that a machine that slows down slows all of them; each round begins with another
    contestant. One that fails is left out of the rounds that follow, and has no figure.
    """
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    why_not = {name: item.why_not for name, item in contestants.items() if item.why_not}
    names = list(contestants)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            if name in why_not:
                continue
            contestant = contestants[name]
            observer(contestant.label, number + 1)
            try:
                contestant.prepare()
                runs[name].append(run(contestant))
            except RunFailedError as error:
                why_not[name] = str(error)
    return {
        name: _figure(contestant, runs[name], why_not.get(name))
        for name, contestant in contestants.items()
    }


def _figure(contestant: Contestant, runs: list[Run], why_not: str | None) -> Figure:
    done = [] if why_not else runs
    keys = dict.fromkeys(key for item in done for key in item.told)
    return Figure(
        label=contestant.label,
        version=contestant.version,
        work=contestant.work,
        seconds=tuple(round(item.seconds, 4) for item in done),
        peak_bytes=max((item.peak_bytes for item in done), default=None),
        why_not=why_not,
        details={
            key: round(median(item.told[key] for item in done if key in item.told), 4)
            for key in keys
        },
    )


class _Watch:
    """Looks again and again at how much memory a process and its children hold.

    Pages that several processes share count once (proportional set size), where the system tells.
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def end_all(self) -> None:
        for process in self._family():
            try:
                process.kill()
            except psutil.Error:
                continue

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []

    def _look(self) -> None:
        pause = 1 / SAMPLES_A_SECOND
        while not self._ended.wait(pause):
            started = time.perf_counter()
            total = sum(_memory(process) for process in self._family())
            self.peak_bytes = max(self.peak_bytes, total)
            spent = time.perf_counter() - started
            pause = max(1 / SAMPLES_A_SECOND, spent / LARGEST_SHARE)


def _memory(process: psutil.Process) -> int:
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _told(said: str, telling: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, float]:
    lines = said.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        str(key): float(value)
        for key, value in telling(told).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _tail(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= TOLD else f"…{shown[-TOLD:]}"
