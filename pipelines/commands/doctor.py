"""`tessera doctor`: is this home well, and what should be done."""

from __future__ import annotations

import typer

from pipelines.commands import console

SHOWN = {"ok": "ok", "attention": "[bold]look[/bold]", "broken": "[bold]broken[/bold]"}


def command(home: console.HomeOption = None, json: console.JsonOption = False) -> None:
    """Look a home over, from the libraries to the pack, and say what to do. Changes nothing.

    Example: tessera doctor --home var

    Exit codes: 0 all is well; 1 something waits for a person; 3 something is broken.
    """
    from dataclasses import asdict

    from rich.table import Table

    from pipelines.doctor import examine

    opened, settings = console.home_and_settings(home)
    found = list(examine(opened, settings))
    if json:
        for finding in found:
            console.emit(asdict(finding))
    else:
        table = Table("check", "", "what was found", "what to do")
        for finding in found:
            table.add_row(
                finding.check, SHOWN[finding.state], finding.message, finding.remedy or ""
            )
        console.out.print(table)
    states = {finding.state for finding in found}
    if "broken" in states:
        raise typer.Exit(console.FAILED)
    raise typer.Exit(console.ATTENTION if "attention" in states else console.DONE)
