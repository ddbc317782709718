"""`tessera source`: the feeds that are known here, and whether their specs are in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.console import ATTENTION, USAGE, JsonOption, emit, fail, out

if TYPE_CHECKING:
    from pipelines.sources.faults import Fault

app = typer.Typer(
    help="The feeds that are known here, and whether their specs are in order.",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: tessera source list")
def list_sources(json: JsonOption = False) -> None:
    """List every source: its folder in the inbox, its files, the kinds of record it gives."""
    from rich.table import Table

    from pipelines.settings import Settings
    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError
    from pipelines.sources.interpretation import interpretation_id

    try:
        known = catalogue.load(Settings())
    except SourceError as error:
        _show(error.faults, as_json=json)
        fail(USAGE, "the specs have faults: mend them and try again")
    table = Table("source", "files in the inbox", "kinds of record", "owner", box=None)
    for spec in known.sources.values():
        files = [f"{spec.inbox_folder}/{glob}" for glob in spec.files]
        if json:
            emit(
                {
                    "source": spec.source,
                    "title": spec.title,
                    "owner": spec.owner,
                    "files": files,
                    "kinds": spec.kinds,
                    "reader": spec.reader.name,
                    "interpretation_id": interpretation_id(spec, known),
                    "path": spec.path,
                }
            )
        else:
            table.add_row(spec.source, "\n".join(files), ", ".join(spec.kinds), spec.owner)
    if not json:
        out.print(table)
        out.print("Drop files into these folders of the inbox, then: tessera run", style="dim")


@app.command("check", epilog="Example: tessera source check site/sources/our_forms.yaml")
def check_sources(
    file: Annotated[
        Path | None,
        typer.Argument(help="One spec; default: all of them, the site's included.", exists=True),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what is wrong with specs and code lists: file, line, field and what to do."""
    from pipelines.settings import Settings
    from pipelines.sources import catalogue, codes
    from pipelines.sources.faults import SourceError

    settings = Settings()
    try:
        if file is None:
            found = [spec.source for spec in catalogue.load(settings).sources.values()]
        else:
            found = [catalogue.load_spec(file, codes.load(settings))[0].source]
    except SourceError as error:
        _show(error.faults, as_json=json)
        raise typer.Exit(USAGE) from None
    if json:
        emit({"summary": {"ok": True, "sources": found}})
    elif not found:
        out.print("No specs yet: write one; docs/source-specs.md shows how.")
        raise typer.Exit(ATTENTION)
    else:
        out.print(f"In order: {', '.join(found)}.")


def _show(faults: list[Fault], *, as_json: bool) -> None:
    for fault in faults:
        if as_json:
            emit(
                {
                    "file": fault.file,
                    "line": fault.line,
                    "field": fault.field,
                    "message": fault.message,
                    "remedy": fault.remedy,
                }
            )
        else:
            place = f"{fault.file}:{fault.line}" if fault.line else f"{fault.file}"
            out.print(f"{place}: {fault.field}: {fault.message}", markup=False, soft_wrap=True)
            out.print(f"    {fault.remedy}", markup=False, soft_wrap=True, style="dim")
