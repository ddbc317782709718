"""Runs benchmarks, keeps what they found, and renews the page that shows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import page
from benchmarks.figures import Outcome
from benchmarks.homes import FailedError
from benchmarks.machine import machine
from benchmarks.registry import ENTRIES, Entry, NotYetError, Options

PROJECT = Path(__file__).parents[1]


def run(entry: Entry, options: Options) -> Outcome:
    """Run one benchmark; one whose subject is not there yet says so."""
    common = {
        "benchmark": entry.name,
        "title": entry.title,
        "machine": machine(),
        "measured_on": datetime.now(UTC).date(),
    }
    try:
        measured = entry.measure(options)
    except NotYetError as error:
        return Outcome(status="not yet", reason=str(error), **common)
    except FailedError as error:
        return Outcome(status="failed", reason=str(error), **common)
    return Outcome(
        status="done",
        cases=measured.cases,
        settings=measured.settings | {"runs": options.runs},
        versions=measured.versions,
        **common,
    )


def keep(outcome: Outcome, project: Path = PROJECT) -> Path:
    """Write what was found to `benchmarks/results/`; what was not run keeps its last result."""
    path = result_path(outcome.benchmark, project)
    if outcome.status == "done" or not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outcome.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return path


def kept(project: Path = PROJECT) -> list[Outcome]:
    """Return the last result of every benchmark that has one."""
    paths = (result_path(name, project) for name in ENTRIES)
    return [Outcome.model_validate_json(path.read_bytes()) for path in paths if path.exists()]


def renew_page(project: Path = PROJECT) -> Path:
    """Write the page of the docs anew from the kept results."""
    return page.write(kept(project), project / "docs")


def result_path(name: str, project: Path = PROJECT) -> Path:
    """Return where the result of a benchmark is kept."""
    return project / "benchmarks" / "results" / f"{name}.json"


def chosen(names: Iterable[str]) -> list[Entry]:
    """Return the benchmarks of these names, or all.

    Raises:
        KeyError: there is no benchmark of that name.
    """
    return [ENTRIES[name] for name in (list(names) or ENTRIES)]
