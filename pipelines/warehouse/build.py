"""One `dbt build`, in process: from `raw` to marts, with every data test on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb
from pydantic import ValidationError

from pipelines.home import Home, write_atomically
from pipelines.intake.records import receipts
from pipelines.settings import Settings
from pipelines.warehouse import kept
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.dbt_project import (
    Artefacts,
    NodeResult,
    project_folder,
    target_folder,
)
from pipelines.warehouse.dbt_runner import Progress, invoke
from pipelines.warehouse.inputs import BuildInputs, RulesOf, build_inputs
from pipelines.warehouse.raw_schema import OTHER_TABLES

PATIENCE = 60.0
SHOWN_FAILURES = 10
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
"""They prove the code, whatever the data."""
WHAT_STANDS = (
    *("--exclude", "config.materialized:view,resource_type:model", "resource_type:seed"),
    *("--indirect-selection", "empty"),
)
"""Leaves out what only code decides, but none of its tests: views and code lists stand since the
last build of the same code."""


class BuildError(WarehouseError):
    """The build failed; nothing of it may be published."""

    def __init__(self, message: str, failures: tuple[NodeResult, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures


@dataclass(frozen=True)
class BuildReport:
    """What one build did."""

    build_id: str
    as_of: date
    known_at: str | None
    is_full: bool
    """Whether kept tables were made from nothing, not only for learners who moved."""
    moved: dict[str, int]
    """How many learners moved, by scope of kept tables."""
    nodes: dict[str, int]
    """How many nodes of each type ended well."""
    warnings: tuple[str, ...]
    slowest: dict[str, float]
    """Seconds of the slowest models."""
    seconds: float


def build_record(home: Home) -> Path:
    """Return the file that says that a build ended well, and from what it was made."""
    return home.warehouse.parent / "build.json"


def audit_record(home: Home) -> Path:
    """Return the file in which the audit says what it found in a build."""
    return home.warehouse.parent / "audit.json"


def present_inputs(
    home: Home, settings: Settings, as_of: date | None = None, rules: RulesOf = "then"
) -> BuildInputs:
    """Return the inputs that a build would have now."""
    with open_warehouse(home, settings) as con:
        return _inputs(home, con, settings, as_of, rules=rules)


def finished_build(home: Home) -> BuildInputs | None:
    """Return the inputs of the build that stands in the warehouse, if it ended well.

    Raises:
        WarehouseError: another version of Tessera made the build, and told other inputs.
    """
    path = build_record(home)
    if not path.exists():
        return None
    try:
        return BuildInputs.model_validate(json.loads(path.read_bytes())["inputs"])
    except ValidationError:
        raise WarehouseError(
            f"{path} is of another version of Tessera: run `tessera run` first"
        ) from None


def build(
    home: Home,
    settings: Settings,
    as_of: date | None = None,
    *,
    rules: RulesOf = "then",
    full_refresh: bool = False,
    unit_tests: bool = False,
    project: Path | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Build every model and run every data test.

    Args:
        home: whose warehouse.
        settings: memory, threads, and the site's folder.
        as_of: the day that is judged on; default: the newest known-at of the log.
        rules: judge by the rule sets known and in force on that day, or on the newest known-at
            of all deliveries.
        full_refresh: make kept tables from nothing, and not only the rows of learners who moved.
        unit_tests: run dbt's unit tests too; they prove the code, whatever the data, and belong
            to the project's own tests.
        project: another dbt project than the shipped one.
        progress: told how many models and tests have ended.

    Raises:
        BuildError: a model or a test failed; the message names model, test and consequence.
    """
    started = time.perf_counter()
    project = project or project_folder()
    options = [] if unit_tests else NO_UNIT_TESTS
    standing = [] if unit_tests else WHAT_STANDS
    with home.writing(timeout=PATIENCE):
        build_record(home).unlink(missing_ok=True)
        audit_record(home).unlink(missing_ok=True)
        # Held while dbt runs: else the adapter, which lets go of the file after every node, would
        # open and checkpoint it for each of them.
        with open_warehouse(home, settings) as con:
            inputs = _inputs(home, con, settings, as_of, project, rules)
            note_inputs(con, inputs)
            code = kept.code_of(inputs.code_version)
            is_full = full_refresh or not kept.stands(con, code)
            if is_full:
                kept.forget(con)
            build_on(
                home,
                settings,
                "build",
                *options,
                *([] if is_full else standing),
                project=project,
                is_full=is_full,
                progress=progress,
            )
            moved = kept.keep(con, code)
        results = Artefacts(target_folder(home)).results()
        report = _report(inputs, results, is_full, moved, time.perf_counter() - started)
        content = {"inputs": inputs.model_dump(mode="json"), "report": asdict(report)}
        write_atomically(
            build_record(home), json.dumps(content, indent=2, default=str).encode() + b"\n"
        )
    return report


def _inputs(
    home: Home,
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    as_of: date | None,
    project: Path | None = None,
    rules: RulesOf = "then",
) -> BuildInputs:
    # The present day is that up to which the log goes, also where a load left out what came later.
    arrivals = (receipt.known_at for receipt in receipts(home))
    present_at = max(arrivals, default=None) if rules == "now" else None
    try:
        return build_inputs(con, settings, project or project_folder(), as_of, present_at)
    except LookupError as error:
        raise BuildError(str(error.args[0])) from None


def note_inputs(con: duckdb.DuckDBPyConnection, inputs: BuildInputs) -> None:
    """Write the inputs where models read them; as variables they would cost a full parse a day."""
    noted = {name: getattr(inputs, name) for name in OTHER_TABLES["build_input"]}
    columns = ", ".join(f"? as {name}" for name in noted)
    con.execute("delete from raw.build_input")
    con.execute(f"insert into raw.build_input by name select {columns}", list(noted.values()))


def build_on(
    home: Home,
    settings: Settings,
    command: str,
    *options: str,
    project: Path | None = None,
    is_full: bool = True,
    progress: Progress | None = None,
) -> None:
    """Run one dbt command on what `raw` holds, and say in words what failed.

    The caller holds the warehouse open, and no record of a finished build is made. Kept tables are
    made from nothing unless the caller knows that they stand (`is_full` is false).

    Raises:
        BuildError: a model or a test failed; the message names model, test and consequence.
    """
    target = target_folder(home)
    (target / "run_results.json").unlink(missing_ok=True)
    full = ["--full-refresh"] * is_full
    outcome = invoke(
        home, settings, project or project_folder(), command, *full, *options, progress=progress
    )
    if outcome.success:
        return
    if not (target / "run_results.json").exists():
        raise BuildError(f"dbt could not start: {outcome.exception}")
    failures = tuple(r for r in Artefacts(target).results() if r.is_failing)
    raise BuildError(
        f"the build stopped, nothing is published:\n{listed(failures)}\n"
        f"Details: {target / 'logs' / 'dbt.log'}",
        failures,
    )


def listed(failures: Sequence[NodeResult]) -> str:
    """Return what failed, a line each, and how many more there are."""
    lines = [f"- {failure.sentence()}" for failure in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"- and {len(failures) - SHOWN_FAILURES} more")
    return "\n".join(lines)


def _report(
    inputs: BuildInputs,
    results: list[NodeResult],
    is_full: bool,
    moved: dict[str, int],
    seconds: float,
) -> BuildReport:
    nodes: dict[str, int] = {}
    for result in results:
        if result.status in {"success", "pass"}:
            nodes[result.resource_type] = nodes.get(result.resource_type, 0) + 1
    slowest = sorted(results, key=lambda result: -result.seconds)[:5]
    return BuildReport(
        build_id=inputs.build_id,
        as_of=inputs.as_of,
        known_at=inputs.known_at.isoformat() if inputs.known_at else None,
        is_full=is_full,
        moved=moved,
        nodes=dict(sorted(nodes.items())),
        warnings=tuple(result.sentence() for result in results if result.status == "warn"),
        slowest={result.name: result.seconds for result in slowest},
        seconds=round(seconds, 3),
    )
