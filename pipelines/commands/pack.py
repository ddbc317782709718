"""`tessera pack`: the pages of one edition, built, proved, frozen for a meeting, reprinted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.console import (
    ATTENTION,
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

if TYPE_CHECKING:
    from pipelines.home import Home
    from pipelines.settings import Settings

app = typer.Typer(
    help="The committee pack: build, verify, freeze, list, reprint.",
    epilog="Example: tessera pack build --home var    then open var/packs/current/index.html",
    no_args_is_help=True,
)

EditionOption = Annotated[
    str | None,
    typer.Option("--edition", help="Which edition; default: the current one.", show_default=False),
]

MeetingOption = Annotated[str, typer.Option("--meeting", help="The meeting's id.")]


@app.command(
    epilog="Example: tessera pack build --home var    or: tessera pack build --role learner "
    "--for L-4F7K2QXA3M"
)
def build(
    role: Annotated[
        str, typer.Option(help="Whose: committee, learner, mentor or programme.")
    ] = "committee",
    only: Annotated[
        str | None,
        typer.Option(
            "--for", help="One learner's or mentor's key; default: all.", show_default=False
        ),
    ] = None,
    home: HomeOption = None,
    edition: EditionOption = None,
    json: JsonOption = False,
) -> None:
    """Write the pages of an edition for a role, whole or not at all.

    The committee's lie in packs/; the others may name people and lie in restricted/views/, one
    folder a person, to be handed out.
    """
    from pipelines.committee import pack
    from pipelines.home import HomeError

    where, settings = home_and_settings(home)
    if role != "committee":
        _build_views(where, settings, role, edition, only, json=json)
        return
    if only is not None:
        fail(USAGE, "--for goes with --role learner or --role mentor")
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


def _build_views(
    home: Home, settings: Settings, role: str, edition: str | None, only: str | None, *, json: bool
) -> None:
    from pipelines.committee import pack, views
    from pipelines.committee.roles import LEARNER, MENTOR, PROGRAMME
    from pipelines.home import HomeError

    if role not in (LEARNER, MENTOR, PROGRAMME):
        fail(USAGE, f"--role is committee, learner, mentor or programme; {role!r} is none of them")
    if only is not None and role == PROGRAMME:
        fail(USAGE, "--for goes with --role learner or --role mentor")
    try:
        built = views.build(home, settings, role, edition, only)
    except pack.NoEditionError as error:
        fail(USAGE, str(error))
    except (pack.PackError, HomeError) as error:
        fail(FAILED, str(error))
    if json:
        emit(
            {
                "role": role,
                "edition_id": built.edition_id,
                "path": str(built.folder),
                "views": built.n_views,
                "without_name": built.n_unnamed,
            }
        )
        return
    noun = "view" if built.n_views == 1 else "views"
    out.print(
        f"{built.n_views} {noun} for {role} of edition {built.edition_id} in {built.folder}",
        soft_wrap=True,
    )
    if built.n_unnamed:
        out.print(f"{built.n_unnamed} without a name in the vault: the key stands in its place")
    out.print(f"Next: tessera serve --role {role}, or hand out the folder")


@app.command(
    epilog='Example: tessera pack freeze --meeting PC-2026-11 --by "registrar of the committee"'
)
def freeze(
    meeting: MeetingOption,
    by: Annotated[str, typer.Option(help="Who freezes; goes on record.")],
    home: HomeOption = None,
    edition: EditionOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the pack of an edition as what one meeting sees, byte for byte.

    Next: tessera pack reprint --meeting ... --out DIR, also a year later.
    """
    from pipelines.committee import freeze, pack
    from pipelines.home import HomeError

    where, settings = home_and_settings(home)
    try:
        frozen = freeze.freeze(where, settings, meeting, by, edition)
    except (pack.NoEditionError, freeze.FreezeError) as error:
        fail(USAGE, str(error))
    except (pack.PackError, HomeError) as error:
        fail(FAILED, str(error))
    if json:
        emit(frozen.model_dump(mode="json"))
    else:
        out.print(
            f"Frozen for {frozen.meeting_id}: edition {frozen.edition_id}, {frozen.n_files} files, "
            f"SHA-256 {frozen.archive_sha256}",
            soft_wrap=True,
        )


@app.command("list", epilog="Example: tessera pack list --home var --json")
def list_frozen(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the packs that were frozen, the oldest first."""
    from rich.table import Table

    from pipelines.committee.freeze import frozen_packs

    where, _ = home_and_settings(home)
    found = frozen_packs(where)
    if json:
        for frozen in found:
            emit(frozen.model_dump(mode="json"))
    elif not found:
        out.print("Nothing was frozen yet. Next: tessera pack freeze --meeting ... --by ...")
    else:
        table = Table("meeting", "freeze", "edition", "learners", "frozen at", "by")
        for frozen in found:
            table.add_row(
                frozen.meeting_id,
                frozen.freeze_id,
                frozen.edition_id,
                str(frozen.n_learners),
                f"{frozen.frozen_at:%Y-%m-%d %H:%M}",
                frozen.frozen_by,
            )
        out.print(table)


@app.command(epilog="Example: tessera pack reprint --meeting PC-2026-11 --out reprint")
def reprint(
    meeting: MeetingOption,
    to: Annotated[Path, typer.Option("--out", help="A new folder, or a file that ends in .zip.")],
    freeze_id: Annotated[
        str | None,
        typer.Option("--freeze", help="Which of several; default: the newest.", show_default=False),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Return what a meeting saw, byte for byte, or name the record that removed it.

    Exit codes: 0 printed; 1 removed by erasure or retention; 2 no such pack; 3 not what was frozen.
    """
    from pipelines.committee import freeze

    where, _ = home_and_settings(home)
    try:
        frozen = freeze.frozen_pack(where, meeting, freeze_id)
    except freeze.FreezeError as error:
        fail(USAGE, str(error))
    try:
        data = freeze.reprint(where, frozen)
    except freeze.RemovedError as error:
        fail(ATTENTION, str(error))
    except freeze.FreezeError as error:
        fail(FAILED, str(error))
    try:
        if to.suffix == ".zip":
            with to.open("xb") as file:
                file.write(data)
        else:
            freeze.unpack(data, to)
    except (freeze.FreezeError, OSError) as error:
        fail(USAGE, str(error))
    if json:
        emit(frozen.model_dump(mode="json") | {"out": str(to)})
    else:
        out.print(
            f"{to}: what {meeting} saw, frozen {frozen.frozen_at:%Y-%m-%d %H:%M} UTC, "
            f"SHA-256 {frozen.archive_sha256}",
            soft_wrap=True,
        )


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
