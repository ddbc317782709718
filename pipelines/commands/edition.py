"""`tessera edition`: published portfolios, whether they are whole, and how they differ."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.console import (
    ATTENTION,
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    counted,
    emit,
    fail,
    home_and_settings,
    out,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.home import Home
    from pipelines.warehouse.editions import Edition

app = typer.Typer(
    help="Published portfolios: list, show, verify, diff, lineage.",
    epilog="Example: tessera edition show current --home var",
    no_args_is_help=True,
)

NAMED = 5
"""How many rows that rest on a record are named."""

EditionArgument = Annotated[
    str, typer.Argument(metavar="EDITION", help="An edition's id; default: the current one.")
]


@app.command("list")
def list_editions(home: HomeOption = None, json: JsonOption = False) -> None:
    """List every edition, the oldest first.

    Example: tessera edition list --home var
    """
    from rich.table import Table

    from pipelines.warehouse.editions import current_id, editions

    opened, _ = home_and_settings(home)
    current = current_id(opened)
    found = editions(opened)
    if not found and not json:
        out.print("No edition yet. Next: tessera run")
    if json:
        for edition in found:
            emit(_line(opened, edition, current))
        return
    table = Table("edition", "made at", "as of", "tables", "rows", "")
    for edition in found:
        table.add_row(
            edition.edition_id,
            f"{edition.created_at:%Y-%m-%d %H:%M}",
            str(edition.as_of),
            f"{len(edition.counts)}",
            f"{sum(edition.counts.values()):,}",
            "current" if edition.edition_id == current else "",
        )
    if found:
        out.print(table)


@app.command()
def show(
    edition_id: EditionArgument = "current", home: HomeOption = None, json: JsonOption = False
) -> None:
    """Show what an edition was made from and what it holds.

    Example: tessera edition show current --home var
    """
    from rich.table import Table

    from pipelines.warehouse.editions import read_edition

    opened, _ = home_and_settings(home)
    edition = read_edition(_folder(opened, edition_id))
    if json:
        emit(edition.model_dump(mode="json"))
        return
    inputs = edition.inputs
    facts = Table(show_header=False)
    facts.add_row("edition", edition.edition_id)
    facts.add_row("made at", f"{edition.created_at:%Y-%m-%d %H:%M} UTC")
    facts.add_row("as of", f"{edition.as_of} ({inputs.time_zone})")
    facts.add_row("known at", str(edition.known_at))
    facts.add_row(
        "deliveries", f"{len(inputs.interpretations)} from {len(inputs.receipts)} receipts"
    )
    facts.add_row("rule sets", ", ".join(inputs.rule_sets))
    facts.add_row("calibration", inputs.calibration_version or "none")
    facts.add_row("audit", str(edition.audit.get("verdict")))
    facts.add_row("versions", ", ".join(f"{k} {v}" for k, v in edition.versions.items()))
    out.print(facts)
    tables = Table("table", "rows", "SHA-256 of its rows")
    for name, n in edition.counts.items():
        tables.add_row(name, f"{n:,}", edition.table_hashes[name][:16])
    out.print(tables)


@app.command()
def verify(
    edition_id: EditionArgument = "current", home: HomeOption = None, json: JsonOption = False
) -> None:
    """Prove that an edition is as it was published: every table and file.

    Example: tessera edition verify current --home var
    """
    from pipelines.warehouse.editions import REMEDY
    from pipelines.warehouse.editions import verify as problems_of

    opened, _ = home_and_settings(home)
    folder = _folder(opened, edition_id)
    problems = problems_of(folder)
    if json:
        emit({"edition_id": folder.name, "ok": not problems, "problems": problems})
    elif not problems:
        out.print(f"Edition {folder.name} is as it was published.")
    if problems:
        fail(FAILED, f"edition {folder.name}: {'; '.join(problems)}. Next: {REMEDY}")


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="The earlier edition.")],
    new: Annotated[str, typer.Argument(help="The later edition; default: current.")] = "current",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Tell how two editions differ: inputs, and rows of each table.

    Example: tessera edition diff 0123456789abcdef current --home var
    """
    from rich.table import Table

    from pipelines.warehouse.editions import diff as difference_of

    opened, _ = home_and_settings(home)
    found = difference_of(_folder(opened, old), _folder(opened, new))
    if json:
        emit({"inputs": found.inputs})
        for table in found.tables:
            emit(asdict(table))
    elif not found.tables:
        out.print("The tables are equal.")
    else:
        shown = Table("table", "rows added", "removed", "changed")
        for table in found.tables:
            shown.add_row(
                table.table, f"{table.added:,}", f"{table.removed:,}", f"{table.changed:,}"
            )
        out.print(shown)
    if not json and found.inputs:
        out.print("Inputs that differ: " + ", ".join(found.inputs))
    if found.tables:
        raise typer.Exit(ATTENTION)


@app.command()
def lineage(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="An id as a pack prints it, or a record key.")
    ],
    edition_id: Annotated[
        str, typer.Option("--edition", help="Which edition; default: the current one.")
    ] = "current",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Trace a record back to its delivery and row, and forward to what rests on it.

    A pack prints data points as E-, declarations of AI use as U-, what learners wrote as R-,
    meeting notes as M-, decisions as D- and actions as A-.

    Example: tessera edition lineage E-0123456789AB --home var
    """
    from pipelines.intake.records import receipts
    from pipelines.warehouse.editions import EditionError
    from pipelines.warehouse.editions import lineage as lineage_of

    opened, _ = home_and_settings(home)
    try:
        found = lineage_of(_folder(opened, edition_id), name)
    except EditionError as error:
        fail(USAGE, str(error))
    deliveries = {str(row["delivery_id"]) for row in found.evidence}
    arrivals = [
        {"receipt_id": r.receipt_id, "file": r.file, "sha256": r.sha256, "known_at": r.known_at}
        for delivery_id in sorted(deliveries)
        for r in receipts(opened, delivery_id)
    ]
    if json:
        emit({"evidence": found.evidence, "arrivals": arrivals, "used_by": found.used_by})
        return
    for row in found.evidence:
        cell = f", cell {row['source_cell']}" if row.get("source_cell") else ""
        out.print(f"{row['table']}: delivery {row['delivery_id']}, row {row['source_row']}{cell}")
    for arrival in arrivals:
        out.print(f"arrived: {arrival['file']} at {arrival['known_at']:%Y-%m-%d %H:%M} UTC")
    for table, rows in found.used_by.items():
        out.print(told(table, rows))


def told(table: str, rows: list[dict[str, Any]]) -> str:
    """Return which rows of a table rest on a record, the first ones by name."""
    names = ("learner_key", "competency_id", "signal_id", "rule_set_id", "rule_version", "status")
    shown = [" ".join(str(row[n]) for n in names if row.get(n) is not None) for row in rows[:NAMED]]
    more = [f"and {len(rows) - NAMED} more"] if len(rows) > NAMED else []
    return f"used by {counted(len(rows), 'row')} of {table}: {'; '.join(shown + more)}"


def _line(home: Home, edition: Edition, current: str | None) -> dict[str, Any]:
    return {
        "edition_id": edition.edition_id,
        "created_at": edition.created_at.isoformat(),
        "current": edition.edition_id == current,
        "path": str(home.editions / edition.edition_id),
        "counts": edition.counts,
    }


def _folder(home: Home, edition_id: str) -> Path:
    from pipelines.warehouse.editions import EditionError, folder_of

    try:
        return folder_of(home, edition_id)
    except EditionError as error:
        fail(USAGE, str(error))
