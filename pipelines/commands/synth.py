"""`tessera synth`: made-up deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.console import DONE, USAGE, JsonOption, emit, fail, out


def command(
    to: Annotated[Path, typer.Option("--out", help="The inbox to fill; it must be empty.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20261120,
    as_json: JsonOption = False,
) -> None:
    """Fill an empty inbox with the made-up example cohort.

    Example: tessera synth --out var/inbox
    """
    from pipelines.synth.example import fill

    try:
        written = fill(to, seed)
    except (FileExistsError, OSError) as error:
        fail(USAGE, str(error))
    if as_json:
        emit({"inbox": str(to), "files": len(written)})
    else:
        out.print(f"{len(written)} made-up deliveries in {to}. Next: tessera run --inbox {to}")
    raise typer.Exit(DONE)
