"""`tessera quarantine`: what was refused or held, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.console import (
    ATTENTION,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

app = typer.Typer(
    help="What was refused or held: by cause, one by one, or as a sheet.",
    epilog="Example: tessera quarantine list --home var",
    no_args_is_help=True,
)

_Delivery = Annotated[
    str | None, typer.Option("--delivery", help="Only this delivery.", show_default=False)
]
_Code = Annotated[
    str | None, typer.Option("--code", help="Only records with this problem.", show_default=False)
]


@app.command("list")
def list_causes(home: HomeOption = None, json: JsonOption = False) -> None:
    """List what waits for a person, grouped by cause, with its owner.

    Ends with 1 when there is anything. Values are masked.

    Example: tessera quarantine list --json
    """
    from rich.markup import escape

    from pipelines.intake.quarantine import causes

    opened, _ = home_and_settings(home)
    found = causes(opened)
    if json:
        for cause in found:
            emit(cause.model_dump(mode="json"))
    elif not found:
        out.print("Nothing waits for a person.")
    else:
        for cause in found:
            where = " · ".join(filter(None, (cause.source, cause.kind, cause.field)))
            counted = f"{cause.n_records:,} records in {cause.n_deliveries:,} deliveries"
            out.print(escape(f"{cause.code}: {counted}, owner {cause.owner}. {where}"))
            example = ". ".join(filter(None, (cause.message, cause.suggestion)))
            out.print(escape(f"    {example}"), soft_wrap=True)
        out.print("Next: tessera quarantine show --code CODE, or tessera quarantine export FILE")
    if found:
        raise typer.Exit(ATTENTION)


@app.command("show")
def show_records(
    delivery: _Delivery = None,
    row: Annotated[int | None, typer.Option(help="Only this row.", show_default=False)] = None,
    code: _Code = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 20,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show refused records with their originals, which are personal data.

    Example: tessera quarantine show --delivery forms-0123456789abcdef --row 17
    """
    from rich.markup import escape

    from pipelines.intake.quarantine import show

    opened, _ = home_and_settings(home)
    found = list(show(opened, delivery_id=delivery, row=row, code=code, limit=limit))
    if not found and (delivery, row, code) != (None, None, None):
        fail(USAGE, "no refused record like that: run `tessera quarantine list`")
    for record in found:
        if json:
            emit(record.model_dump(mode="json"))
            continue
        cell = f", {record.source_cell}" if record.source_cell else ""
        out.print(escape(f"{record.file} {record.place}{cell} ({record.kind})"))
        for problem in record.problems:
            out.print(escape(f"  {problem['code']}: {problem['message']}. {problem['suggestion']}"))
        for name, value in (record.original or {}).items():
            out.print(escape(f"    {name} = {value}"))
    if found:
        raise typer.Exit(ATTENTION)


@app.command("export")
def export_records(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.", dir_okay=False)],
    delivery: _Delivery = None,
    code: _Code = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write refused records with their originals as a sheet; it holds personal data.

    Example: tessera quarantine export refused.csv --code unknown_label
    """
    from pipelines.intake.quarantine import export, show

    opened, _ = home_and_settings(home)
    try:
        n_written = export(show(opened, delivery_id=delivery, code=code), file)
    except OSError as error:
        fail(USAGE, f"{file} cannot be written: {error.strerror}")
    if json:
        emit({"file": str(file), "records": n_written})
    else:
        out.print(f"{n_written:,} refused records written to {file}: it holds personal data")
    if n_written:
        raise typer.Exit(ATTENTION)
