"""`tessera run`: the whole pipeline in this process, without Airflow."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from pipelines.commands.console import (
    DONE,
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    err,
    fail,
    home_and_settings,
    out,
    progress,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from pipelines.home import Home
    from pipelines.intake.ledger import Tally
    from pipelines.runs import StageRecord
    from pipelines.warehouse.inputs import RulesOf

TITLES = {
    "receive": "Receive what lies in the inbox",
    "read": "Read, validate, check, commit",
    "load": "Load the evidence into the warehouse",
    "calibrate": "Calibrate, where no calibration is",
    "build": "Build the marts with dbt",
    "audit": "Audit the candidate",
    "publish": "Publish the edition",
    "pack": "Make the committee pack",
}

PARTS = {
    "receive:part": "hash and archive",
    "read:part": "read",
    "validate:part": "validate",
    "load:part": "records",
    "build:part": "models and tests",
}
"""What is told of the file or delivery that a stage is at."""

LONG = 10.0
"""Seconds after which a stage is told where nobody watches."""


def command(
    inbox: Annotated[
        Path | None,
        typer.Option(
            "--inbox",
            exists=True,
            file_okay=False,
            help="Another inbox than the home's own.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="The day that is judged on; default: the newest known-at in the log.",
            show_default=False,
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="Leave out what came later, such as 2026-02-21T06:00Z; default: take everything.",
            show_default=False,
        ),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build everything again from nothing.")
    ] = False,
    rules: Annotated[
        str,
        typer.Option(
            "--rules",
            metavar="then|now",
            help="Judge by the rule sets known and in force on that day, or by the present ones, "
            "of the day up to which the log goes.",
        ),
    ] = "then",
    pack: Annotated[
        bool, typer.Option("--pack/--no-pack", help="Make the committee pack of the edition.")
    ] = True,
    accept_loss: Annotated[
        str | None,
        typer.Option(
            "--accept-loss",
            metavar="WHY",
            help="Publish though much that the last edition held is gone; the reason is kept.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the whole pipeline: inbox to edition and committee pack.

    Example: tessera run --home var

    A run that was stopped goes on where it was; when nothing is new, nothing is published. A past
    day becomes the current edition, too, until the next run without a day.
    Next: tessera ledger, tessera quarantine list.
    """
    from rich.markup import escape

    from pipelines.run import ConfigurationError, Run, StageFailedError, Wanted
    from pipelines.runs import exit_code, records, tally_of
    from pipelines.warehouse.findings import open_findings

    opened, settings = home_and_settings(home, make=True)
    wanted = Wanted(
        inbox,
        as_of.date() if as_of else None,
        _instant(known_at),
        full_refresh,
        pack,
        _rules_of(rules),
        accept_loss,
    )
    failure: str | None = None
    with progress() as bars:
        run = Run(opened, settings, wanted, _Bars(bars))
        try:
            run.go()
        except ConfigurationError as error:
            fail(USAGE, str(error))
        except StageFailedError as error:
            failure = f"{error.record.stage}: {error}"
    if failure is not None and not json:
        fail(FAILED, failure)
    tally = tally_of(opened, run.run_id)
    if json:
        for record in records(opened, run.run_id):
            emit(asdict(record))
        emit({"run": summary(opened, run.run_id, tally)})
    else:
        out.print(summary_table(opened, run.run_id, tally))
    if failure is not None:
        fail(FAILED, failure)
    if (as_of or known_at) and not json:
        err.print(
            "Readers of the current edition now see that day. "
            "To make the present one current again: tessera run"
        )
    code = exit_code(opened, run.run_id, tally)
    if code != DONE and not json:
        err.print("Something waits for a person: tessera ledger, tessera quarantine list")
        for finding in open_findings(opened):
            err.print(escape(str(finding)))
    raise typer.Exit(code)


def summary(home: Home, run_id: str, tally: Tally) -> dict[str, Any]:
    """Return in short what a run did and what stands by the ledger, as plain JSON."""
    from pipelines.runs import records
    from pipelines.warehouse.checks import checks
    from pipelines.warehouse.editions import current_id
    from pipelines.warehouse.findings import open_findings

    told = {record.stage: record for record in records(home, run_id)}
    received = told["receive"].report if "receive" in told else {}
    statuses = tally.statuses
    published = told["publish"].report if "publish" in told else None
    edition_id = current_id(home)
    pack = home.packs / (edition_id or "") / "index.html"
    return {
        "run_id": run_id,
        "deliveries_new": len(received.get("received", ())),
        "deliveries": sum(statuses.values()) - statuses.get("refused", 0),
        "files_not_taken_in": statuses.get("refused", 0) + statuses.get("incomplete", 0),
        "deliveries_held": statuses.get("held", 0),
        "records": dict(tally.records),
        "checks": checks(home),
        "seconds": {stage: record.seconds for stage, record in told.items()},
        "edition_id": edition_id,
        "edition_is_new": published is not None,
        "findings": [asdict(finding) for finding in open_findings(home)],
        "messages": {stage: r.message for stage, r in told.items() if r.message},
        "pack": pack.resolve().as_uri() if edition_id and pack.exists() else None,
    }


def summary_table(home: Home, run_id: str, tally: Tally) -> Table:
    """Return what a run did and what stands now, as a short table."""
    from rich.table import Table

    told = summary(home, run_id, tally)
    records, checks, seconds = told["records"], told["checks"], told["seconds"]
    table = Table(show_header=False, title="Tessera", title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("deliveries", _deliveries(told))
    table.add_row("records", " · ".join(f"{n:,} {name}" for name, n in records.items()))
    table.add_row("checks", f"{checks['passed']:,} of {checks['total']:,} passed")
    table.add_row("run", f"{run_id} ({sum(seconds.values()):.1f} s)")
    is_new = "new" if told["edition_is_new"] else "nothing new, nothing published"
    table.add_row("edition", f"{told['edition_id'] or 'none'} ({is_new})")
    table.add_row("pack", told["pack"] or "none of this edition: tessera pack build")
    return table


def _deliveries(told: dict[str, Any]) -> str:
    parts = [f"{told['deliveries_new']} new, {told['deliveries']} in the log"]
    if told["deliveries_held"]:
        parts.append(f"{told['deliveries_held']} held")
    if told["files_not_taken_in"]:
        parts.append(f"{told['files_not_taken_in']} files not taken in")
    return ", ".join(parts)


def _rules_of(text: str) -> RulesOf:
    if text not in ("then", "now"):
        fail(
            USAGE,
            f"--rules {text}: write `then` for the rules of that day, or `now` for the present",
        )
    return cast("RulesOf", text)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        fail(USAGE, f"--known-at {text}: write it like 2026-02-21T06:00Z")
    if instant.tzinfo is None:
        fail(USAGE, f"--known-at {text}: say in which zone, such as 2026-02-21T06:00Z")
    return instant


class _Bars:
    """Shows every stage while it runs, and its seconds when it has ended.

    Where nobody watches, only stages that took long are told, a line each.
    """

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._shown: dict[str, TaskID] = {}

    def starts(self, stage: str, n: int | None = None) -> None:
        self._shown[stage] = self._bars.add_task(TITLES.get(stage, stage), total=n)

    def advances(self, stage: str) -> None:
        self._bars.advance(self._shown[stage])
        for part in PARTS:
            self._remove(part)

    def tells(self, stage: str, done: int, total: int, unit: str) -> None:
        part = f"{stage}:part"
        if part not in self._shown:
            title = f"  {PARTS.get(part, '')}"
            self._shown[part] = self._bars.add_task(title, total=total, unit=unit)
        self._bars.update(self._shown[part], completed=done, total=total)
        if done >= total:
            self._remove(part)

    def ended(self, record: StageRecord) -> None:
        self._remove(record.stage)
        self._remove(f"{record.stage}:part")
        if record.status == "done" and (err.is_terminal or record.seconds >= LONG):
            title = TITLES.get(record.stage, record.stage)
            self._bars.console.print(f"{title}: {record.seconds:.1f} s")

    def _remove(self, name: str) -> None:
        if name in self._shown:
            self._bars.remove_task(self._shown.pop(name))
