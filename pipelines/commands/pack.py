"""`tessera pack`: the pages of one edition, built and proved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.commands.console import (
    DONE,
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

app = typer.Typer(
    help="The committee pack: pages of one edition.",
    epilog="Example: tessera pack build --home var    then open var/packs/current/index.html",
    no_args_is_help=True,
)

EditionOption = Annotated[
    str | None,
    typer.Option("--edition", help="Which edition; default: the current one.", show_default=False),
]


@app.command(epilog="Example: tessera pack build --home var --edition 1f0c9a6f2b7d4e58")
def build(home: HomeOption = None, edition: EditionOption = None, json: JsonOption = False) -> None:
    """Write the pages of an edition, whole or not at all."""
    from pipelines.committee import pack
    from pipelines.home import HomeError

    where, settings = home_and_settings(home)
    try:
        path = pack.build(where, settings, edition)
        verdict = pack.verify(where, path.name)
    except pack.NoEditionError as error:
        fail(USAGE, str(error))
    except (pack.PackError, HomeError) as error:
        fail(FAILED, str(error))
    index = path / "index.html"
    if json:
        emit(
            {
                "edition_id": path.name,
                "path": str(path),
                "index": str(index),
                "files": verdict.n_files,
                "ok": verdict.ok,
            }
        )
    else:
        out.print(f"Pack of edition {path.name}: {verdict.n_files} files. Open {index}")


@app.command(epilog="Example: tessera pack verify --home var && echo whole")
def verify(
    home: HomeOption = None, edition: EditionOption = None, json: JsonOption = False
) -> None:
    """Prove that a pack's files, and its edition, are those that were built."""
    from pipelines.committee import pack

    where, _ = home_and_settings(home)
    try:
        verdict = pack.verify(where, edition)
    except pack.PackError as error:
        fail(USAGE, str(error))
    if json:
        for problem in verdict.problems:
            emit(asdict(problem))
        emit(
            {
                "summary": {
                    "edition_id": verdict.edition_id,
                    "ok": verdict.ok,
                    "files": verdict.n_files,
                    "problems": len(verdict.problems),
                }
            }
        )
    else:
        for problem in verdict.problems:
            out.print(f"{problem.file}: {problem.message}", markup=False)
        out.print(
            f"Pack {verdict.edition_id}: {verdict.n_files} files, as they were built."
            if verdict.ok
            else f"Pack {verdict.edition_id} is not as it was built: `tessera pack build` makes it "
            "again from its edition."
        )
    raise typer.Exit(DONE if verdict.ok else FAILED)
