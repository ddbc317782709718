"""`tessera model`: try changed models on a private copy, and see what they change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

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
    progress,
)

app = typer.Typer(
    help="Try changed models on a private copy: clone, build, diff; and docs.",
    epilog="Example: tessera model clone try --home var    then: tessera model build --home try",
    no_args_is_help=True,
)

CopyOption = Annotated[Path, typer.Option("--home", help="The copy that `clone` made.")]


@app.callback()
def _main() -> None:
    """Try changed models on a private copy of a build."""


@app.command()
def clone(
    folder: Annotated[Path, typer.Argument(help="Where to make the copy; a new folder.")],
    home: HomeOption = None,
    edition: Annotated[
        str | None,
        typer.Option("--edition", help="The edition to copy the build of; default: current."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Copy the build of an edition for yourself, without log, vault and editions.

    It must be the build that stands: the command says what to do where it is not.

    Example: tessera model clone try --home var    then: tessera model build --home try
    """
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.workbench import clone as copy_build

    opened, _ = home_and_settings(home)
    try:
        build_id = copy_build(opened, folder, edition)
    except WarehouseError as error:
        fail(USAGE, str(error))
    if json:
        emit({"build_id": build_id, "edition_id": build_id, "path": str(folder)})
    else:
        out.print(
            f"{folder} holds a copy of the build of edition {build_id}. Next: edit models in "
            f"dbt/, then `tessera model build --home {folder}`.",
            soft_wrap=True,
        )


@app.command()
def build(home: CopyOption, json: JsonOption = False) -> None:
    """Build what was changed since the copy was made, what follows from it, and its tests.

    That is models, and rules and code lists, also those of the site's folder.

    Example: tessera model build --home try    then: tessera model diff --home try

    Exit codes: 0 done; 1 done, and a test warns; 2 wrong use; 3 a model or a test failed.
    """
    from pipelines.rules import RuleFileError
    from pipelines.sources.faults import SourceError
    from pipelines.warehouse.build import BuildError
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.workbench import build_changed

    opened, settings = home_and_settings(home)
    try:
        with progress() as bars:
            bars.add_task("Building what was changed", total=None)
            done = build_changed(opened, settings)
    except BuildError as error:
        fail(FAILED, str(error))
    except (WarehouseError, RuleFileError, SourceError) as error:
        fail(USAGE, str(error))
    if json:
        emit(asdict(done))
    elif not done.models and not done.n_tests and not done.warnings:
        out.print("Nothing was changed since the copy was made.")
    else:
        n_warnings = counted(len(done.warnings), "warns", "warn")
        out.print(
            f"{counted(len(done.models), 'model')} built, {counted(done.n_tests, 'test')} passed, "
            f"{n_warnings}. Next: tessera model diff --home {home}",
            soft_wrap=True,
        )
        for warning in done.warnings:
            out.print(f"- {warning}", soft_wrap=True)
    if done.warnings:
        raise typer.Exit(ATTENTION)


@app.command()
def diff(home: CopyOption, json: JsonOption = False) -> None:
    """Tell how the marts of a copy differ from those that it was made with.

    Example: tessera model diff --home try

    Exit codes: 0 the marts are equal; 1 they differ; 2 wrong use, or the last build stopped.
    """
    from rich.table import Table

    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.workbench import diff_marts

    opened, _ = home_and_settings(home)
    try:
        found = diff_marts(opened)
    except WarehouseError as error:
        fail(USAGE, str(error))
    if json:
        for table in found:
            emit(asdict(table))
    elif not found:
        out.print("The marts are equal.")
    else:
        shown = Table()
        shown.add_column("mart", no_wrap=True)
        for title in ("rows added", "removed", "changed"):
            shown.add_column(title, justify="right")
        for title in ("columns added", "removed"):
            shown.add_column(title, overflow="fold")
        for table in found:
            shown.add_row(
                table.table,
                f"{table.added:,}",
                f"{table.removed:,}",
                f"{table.changed:,}",
                ", ".join(table.columns_added),
                ", ".join(table.columns_removed),
            )
        out.print(shown)
    if found:
        raise typer.Exit(ATTENTION)


@app.command()
def docs(
    target: Annotated[
        Path, typer.Option("--out", help="The page to write.", dir_okay=False)
    ] = Path("tessera-models.html"),
    home: HomeOption = None,
) -> None:
    """Write every model, column, test and exposure with their lineage as one page.

    Example: tessera model docs --home var --out models.html
    """
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.workbench import write_docs

    opened, settings = home_and_settings(home)
    try:
        with progress() as bars:
            bars.add_task("Writing the docs of the models", total=None)
            made = write_docs(opened, settings, target)
    except WarehouseError as error:
        fail(FAILED, str(error))
    out.print(f"Open {made.resolve().as_uri()} in a browser.", soft_wrap=True)
