"""Every benchmark by its name. A module is imported when its benchmark is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figures import Case
from benchmarks.measure import Observer, tell_nobody


class NotYetError(Exception):
    """The subject of a benchmark does not exist in this version; the message says what lacks."""


@dataclass(frozen=True)
class Options:
    """What a benchmark is asked for.

    Attributes:
        cache: where its data and environments are kept.
        sizes: sizes to measure, instead of the benchmark's own.
        full: also the sizes that take long.
        runs: how often each contestant runs.
        observer: told which contestant runs, and for the how-manieth time.
    """

    cache: Path
    sizes: tuple[int, ...] = ()
    full: bool = False
    runs: int = 3
    observer: Observer = tell_nobody

    def chosen(self, usual: tuple[int, ...], long: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the sizes to measure."""
        return self.sizes or (usual + long if self.full else usual)

    def runs_at(self, size: int, long: tuple[int, ...]) -> int:
        """Return how often each contestant runs: once at a size that takes many minutes."""
        return 1 if size in long else self.runs


@dataclass(frozen=True)
class Measured:
    """What the module of a benchmark returns."""

    cases: tuple[Case, ...]
    settings: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One benchmark: where it lives, what it measures, and what it is measured against."""

    name: str
    title: str
    module: str
    floor: str
    rival: str

    def measure(self, options: Options) -> Measured:
        """Run it.

        Raises:
            NotYetError: its module or its subject does not exist yet.
        """
        if not _exists(self.module):
            raise NotYetError(f"there is no {self.module} in this version")
        measured: Measured = import_module(self.module).measure(options)
        return measured


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "intake",
            "From inbox to loaded and ledgered, records of 21 fields and about 650 bytes",
            "benchmarks.cases.intake",
            "DuckDB reads the same file into a typed table and checks nothing",
            "dlt loads the same file into DuckDB under the same pydantic contract",
        ),
        Entry(
            "large",
            "From inbox to loaded and ledgered, files of gigabytes",
            "benchmarks.cases.large",
            "none: what is measured is memory",
            "none: what is measured is memory",
        ),
        Entry(
            "xapi",
            "A verdict on every xAPI statement of a file",
            "benchmarks.cases.xapi",
            "Python's json parses every line and judges nothing",
            "Ralph's `validate`",
        ),
        Entry(
            "stringency",
            "Crossed random effects of learners and assessors, with their standard errors",
            "benchmarks.cases.stringency",
            "polars takes the plain mean of every learner and assessor",
            "lme4 where R has it, else statsmodels at a size that it can do",
        ),
        Entry(
            "build",
            "All marts with their tests from loaded evidence, full and after one more night",
            "benchmarks.cases.build",
            "DuckDB scans, sorts and stores the same segments",
            "none: no other tool builds these tables",
        ),
        Entry(
            "whole",
            "From the evidence log to a published edition, and one more night on top",
            "benchmarks.cases.whole",
            "DuckDB scans, sorts and stores the same segments",
            "none: no other tool builds these tables",
        ),
        Entry(
            "vast",
            "From the evidence log to a published edition, ten million records",
            "benchmarks.cases.vast",
            "DuckDB scans, sorts and stores the same segments",
            "none: no other tool builds these tables",
        ),
        Entry(
            "pack",
            "The committee pack, for each page of a learner",
            "benchmarks.cases.pack",
            "DuckDB reads the rows of each learner and prints them as JSON",
            "none: no other tool writes these pages",
        ),
        Entry(
            "latency",
            "A file dropped into the inbox of a standing home to the edition published",
            "benchmarks.cases.latency",
            "Python starts and ends",
            "none: what else there is starts where the file is already read",
        ),
        Entry(
            "validity",
            "What the published tables say beside the planted truth",
            "benchmarks.validity",
            "chance",
            "an oracle that knows the generating model",
        ),
    )
}
"""Every benchmark by its name, in the order of the page."""
