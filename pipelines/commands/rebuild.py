"""`tessera rebuild`: prove that an edition follows from the evidence log."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands import console


def command(
    edition_id: Annotated[
        str, typer.Argument(metavar="EDITION", help="An edition's id; default: the current one.")
    ] = "current",
    home: console.HomeOption = None,
    json: console.JsonOption = False,
) -> None:
    """Build an edition's tables again from the log, beside everything, and compare them.

    The log is read up to the edition's known-at and judged on its as-of, with its calibration.
    Nothing in the home changes. What is another input now (code, specs, rule sets) is listed.

    Example: tessera rebuild --home var    then: tessera pack verify --home var

    Exit codes: 0 every table is the same; 1 tables differ, and inputs do; 3 the same inputs gave
    other rows, or the build failed.
    """
    from dataclasses import asdict

    from pipelines.home import HomeError
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.rebuild import rebuild

    opened, settings = console.home_and_settings(home)
    wanted = None if edition_id == "current" else edition_id
    try:
        with console.progress() as bars:
            bars.add_task("Building again from the log", total=None)
            found = rebuild(opened, settings, wanted)
    except (HomeError, WarehouseError) as error:
        console.fail(console.FAILED, str(error))
    if json:
        console.emit(asdict(found) | {"is_proved": found.is_proved})
    else:
        same = (
            f"{len(found.equal)} of {len(found.equal) + len(found.differing)} tables are the same"
        )
        console.out.print(f"Edition {found.edition_id}, built again from the log: {same}.")
        for name in found.differing:
            console.out.print(f"  {name} differs")
        for name, change in found.inputs.items():
            console.out.print(f"  other input now, {name}: {change}", soft_wrap=True)
    if found.is_contradicted:
        console.fail(
            console.FAILED,
            "the same inputs gave other rows: keep the home as it is, and report this",
        )
    raise typer.Exit(console.DONE if found.is_proved else console.ATTENTION)
