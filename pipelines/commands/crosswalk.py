"""`tessera crosswalk`: labels that are not known, and who says what they mean."""

from __future__ import annotations

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
)

app = typer.Typer(
    help="Labels that are not known, and who says what they mean.",
    epilog="Example: tessera crosswalk suggest",
    no_args_is_help=True,
)


@app.command("suggest")
def suggest(
    source: Annotated[
        str | None, typer.Option("--source", help="Only this source.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List labels that wait in quarantine, with the nearest known levels.

    Ends with 1 when there is any. Labels that may hold personal data are masked.

    Example: tessera crosswalk suggest --source our_ward_tool --json
    """
    from rich.markup import escape

    from pipelines.intake.unknown_labels import unknown_labels
    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError, known

    opened, settings = home_and_settings(home)
    try:
        declared = catalogue.load(settings)
    except SourceError as error:
        fail(USAGE, str(error))
    if source is not None and source not in declared.sources:
        fail(USAGE, f"no source {source!r}. {known(list(declared.sources), source)}")
    found = unknown_labels(opened, declared, source)
    for item in found:
        if json:
            emit(item.model_dump(mode="json"))
            continue
        where = " · ".join((item.source, item.field, item.scale or "labels of the spec"))
        out.print(escape(f"'{item.label}': {counted(item.n_records, 'record')}. {where}"))
        for near in item.nearest:
            out.print(escape(f"    {near.similarity:.0%} like {near.label}: {near.level}"))
        out.print(escape(f"    {item.remedy}"), soft_wrap=True)
    if not found and not json:
        out.print("No label waits: every one is known.")
    if found:
        raise typer.Exit(ATTENTION)


@app.command("approve")
def approve_label(
    scale: Annotated[str, typer.Argument(help="The scale.")],
    label: Annotated[str, typer.Argument(help="The label as the source writes it.")],
    level: Annotated[str, typer.Argument(help="Number or name of the level that it means.")],
    by: Annotated[str, typer.Option("--by", help="The person who approves.")],
    version: Annotated[
        str | None, typer.Option("--scale-version", help="Default: the newest.", show_default=False)
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why.", show_default=False)] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The label meant another level until now.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say which level of a scale a label means; it is remembered with who and when.

    The next run reads the archive again, and waiting records enter by themselves.

    Example: tessera crosswalk approve entrustment_5 "Lvl 3 (indirect)" 3 --by "A. Muster"
    """
    from rich.markup import escape

    from pipelines.home import HomeError
    from pipelines.identity.named import UnnamedError, named
    from pipelines.sources import codes
    from pipelines.sources.crosswalk import CrosswalkError, approve
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    try:
        person = named(by)
        with opened.writing(timeout=60):
            approval = approve(
                opened.root,
                codes.load(settings),
                scale,
                label,
                level,
                by=person,
                version=version,
                reason=reason,
                replace=replace,
            )
    except (CrosswalkError, SourceError, UnnamedError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))
    if json:
        told = approval.model_dump(mode="json") if approval is not None else {}
        emit({"is_new": approval is not None} | told)
    elif approval is None:
        out.print(escape(f"'{label}' means this level already: nothing to do"))
    else:
        out.print(escape(f"'{label}' means level {approval.level} of {scale}, says {person}"))
        out.print("Next: tessera run   (it reads again what this label kept back)")
