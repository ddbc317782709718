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
    from pipelines.committee.freeze import Frozen
    from pipelines.committee.release import Release
    from pipelines.home import Home
    from pipelines.settings import Settings

app = typer.Typer(
    help="The committee pack: build, verify, freeze, addendum, list, reprint, retire.",
    epilog="Example: tessera pack build --home var    then open var/packs/current/index.html",
    no_args_is_help=True,
)

EditionOption = Annotated[
    str | None,
    typer.Option("--edition", help="Which edition; default: the current one.", show_default=False),
]

MeetingOption = Annotated[str, typer.Option("--meeting", help="The meeting's id.")]

FreezeOption = Annotated[
    str | None,
    typer.Option("--freeze", help="Which of several; default: the newest.", show_default=False),
]


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

    Next: tessera decision form for the meeting; tessera pack reprint, also a year later.
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
            f"SHA-256 {frozen.archive_sha256}. Next: tessera decision form --meeting "
            f"{frozen.meeting_id} --vocabulary ... --out decisions.xlsx",
            soft_wrap=True,
        )


@app.command(epilog="Example: tessera pack binder --year 2026 --out binder-2026.zip")
def binder(
    year: Annotated[int, typer.Option(min=1900, max=2999, help="The year.")],
    to: Annotated[Path, typer.Option("--out", help="A file that ends in .zip.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write the accreditation binder of a year, from editions and frozen packs alone.

    A year that still runs is bound as one, and says so: its decisions are counted up to the last
    quarter that is over, rounded down, so that two binders differ by no single decision.

    Next: open index.html in it; snapshots.json holds the hashes that prove each line.
    """
    from pipelines.committee.binder import BinderError, bind

    where, _ = home_and_settings(home)
    if to.suffix != ".zip" or to.exists():
        fail(USAGE, f"--out {to}: give a new file that ends in .zip")
    try:
        bound = bind(where, year, to)
    except BinderError as error:
        fail(USAGE, str(error))
    told = {
        "year": year,
        "out": str(to),
        "editions": len(bound.snapshots),
        "packs": len(bound.packs),
        "is_running": bound.is_running,
    }
    if json:
        emit(told)
    else:
        out.print(
            f"Binder {year}{' (still running)' if bound.is_running else ''}: "
            f"{told['editions']} editions and {told['packs']} frozen packs in {to}",
            soft_wrap=True,
        )


@app.command("list", epilog="Example: tessera pack list --home var --json")
def list_frozen(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the packs that were frozen, the oldest first, and what became of each."""
    from rich.table import Table

    from pipelines.committee.addendum import addenda
    from pipelines.committee.freeze import frozen_packs
    from pipelines.committee.release import releases

    where, _ = home_and_settings(home)
    found = [(f, releases(where, f), addenda(where, f)) for f in frozen_packs(where)]
    if json:
        for frozen, answers, added in found:
            emit(
                frozen.model_dump(mode="json")
                | {
                    "is_released": bool(answers) and answers[-1].is_released,
                    "because": answers[-1].because if answers else None,
                    "addendum_ids": [addendum.addendum_id for addendum in added],
                }
            )
    elif not found:
        out.print("Nothing was frozen yet. Next: tessera pack freeze --meeting ... --by ...")
    else:
        table = Table(
            "meeting", "freeze", "edition", "learners", "frozen at", "by", "addenda", "released"
        )
        for frozen, answers, added in found:
            table.add_row(
                frozen.meeting_id,
                frozen.freeze_id,
                frozen.edition_id,
                str(frozen.n_learners),
                f"{frozen.frozen_at:%Y-%m-%d %H:%M}",
                frozen.frozen_by,
                str(len(added)),
                _released(answers),
            )
        out.print(table)


def _released(answers: list[Release]) -> str:
    if not answers:
        return "not yet asked"
    return f"{'yes' if answers[-1].is_released else 'no'}: {answers[-1].because}"


@app.command(epilog="Example: tessera pack reprint --meeting PC-2026-11 --out reprint")
def reprint(
    meeting: MeetingOption,
    to: Annotated[Path, typer.Option("--out", help="A new folder, or a file that ends in .zip.")],
    freeze_id: FreezeOption = None,
    addendum_id: Annotated[
        str | None,
        typer.Option("--addendum", help="An addendum to it, instead.", show_default=False),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Return what a meeting saw, byte for byte, or name the record that removed it.

    Where the law removed some of it, the rest is returned and the record is named. Exit codes:
    0 printed; 1 removed by erasure or retention; 2 no such pack; 3 not what was frozen.
    """
    from pipelines.committee import freeze

    where, _ = home_and_settings(home)
    try:
        frozen = freeze.frozen_pack(where, meeting, freeze_id)
    except freeze.FreezeError as error:
        fail(USAGE, str(error))
    data, sha256, removed = _what_is_printed(where, frozen, addendum_id)
    try:
        if to.suffix == ".zip":
            with to.open("xb") as file:
                file.write(data)
        else:
            freeze.unpack(data, to)
    except (freeze.FreezeError, OSError) as error:
        fail(USAGE, str(error))
    if json:
        printed = {"out": str(to), "printed_sha256": sha256, "removed": removed}
        emit(frozen.model_dump(mode="json") | {"addendum_id": addendum_id} | printed)
    elif removed is None:
        out.print(
            f"{to}: what {meeting} saw, frozen {frozen.frozen_at:%Y-%m-%d %H:%M} UTC, "
            f"SHA-256 {sha256}",
            soft_wrap=True,
        )
    if removed is not None:
        fail(ATTENTION, f"{to} is what is left of SHA-256 {sha256}: {removed}")


def _what_is_printed(
    where: Home, frozen: Frozen, addendum_id: str | None
) -> tuple[bytes, str, str | None]:
    """Return the archive of a frozen pack or addendum, its hash, and what of it was removed."""
    from pipelines.committee import addendum, freeze

    chosen = None
    try:
        if addendum_id is None:
            return freeze.reprint(where, frozen), frozen.archive_sha256, None
        chosen = addendum.find_addendum(where, frozen, addendum_id)
        return addendum.reprint(where, frozen, chosen), chosen.archive_sha256, None
    except freeze.RemovedError as error:
        if error.remaining is None:
            fail(ATTENTION, str(error))
        return error.remaining, (chosen or frozen).archive_sha256, str(error)
    except addendum.NoAddendumError as error:
        fail(USAGE, str(error))
    except freeze.FreezeError as error:
        fail(FAILED, str(error))


@app.command(
    epilog='Example: tessera pack addendum --meeting PC-2026-11 --by "registrar of the committee"'
)
def addendum(
    meeting: MeetingOption,
    by: Annotated[str, typer.Option(help="Who makes it; goes on record.")],
    freeze_id: FreezeOption = None,
    home: HomeOption = None,
    edition: EditionOption = None,
    json: JsonOption = False,
) -> None:
    """Lay what arrived since a pack was frozen beside it, with a hash of its own.

    The frozen pack stays as it is. The decision form then asks whether the addendum was seen, and
    the record of the decision says so. Exit codes: 0 made, or made before; 1 nothing arrived.

    Next: tessera pack reprint --meeting ... --addendum ID --out DIR, and a new decision form.
    """
    from pipelines.committee import addendum, freeze
    from pipelines.committee.edition import EditionError
    from pipelines.home import HomeError

    where, _ = home_and_settings(home)
    try:
        frozen = freeze.frozen_pack(where, meeting, freeze_id)
        added = addendum.add(where, frozen, by, edition)
    except addendum.NothingArrivedError as error:
        fail(ATTENTION, str(error))
    except (freeze.FreezeError, EditionError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))
    if json:
        emit(added.model_dump(mode="json"))
    else:
        out.print(
            f"Addendum {added.addendum_id} to {meeting}: {added.n_changes} changes about "
            f"{len(added.learners)} learners, SHA-256 {added.archive_sha256}. "
            f"Next: tessera pack reprint --meeting {meeting} --addendum {added.addendum_id} "
            "--out DIR",
            soft_wrap=True,
        )


@app.command(
    epilog='Example: tessera pack retire --meeting PC-2016-11 --by "A. Muster" '
    '--reason "retention of ten years is over" --yes'
)
def retire(
    meeting: MeetingOption,
    by: Annotated[str, typer.Option(help="Who answers for it; a named person.")],
    reason: Annotated[str, typer.Option(help="The rule of retention, in words.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what.")] = False,
    freeze_id: FreezeOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Remove what was frozen for a meeting when its time is over. It cannot be undone.

    The record of the removal stays, and reprint names it. A legal hold on a learner refuses it.
    """
    from pipelines.committee import freeze
    from pipelines.committee.retention import HeldError
    from pipelines.committee.retention import retire as remove
    from pipelines.home import HomeError
    from pipelines.identity.named import UnnamedError, named, reasoned

    where, settings = home_and_settings(home)
    try:
        frozen = freeze.frozen_pack(where, meeting, freeze_id)
        who, why = named(by), reasoned(reason)
        if not yes:
            out.print(
                f"This removes the pack {frozen.freeze_id} of {meeting}, frozen "
                f"{frozen.frozen_at:%Y-%m-%d}, with its addenda, for good. Add --yes to do it.",
                soft_wrap=True,
            )
            raise typer.Exit(ATTENTION)
        removal = remove(where, settings, frozen, who, why)
    except HeldError as error:
        fail(FAILED, str(error))
    except (freeze.FreezeError, UnnamedError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))
    if json:
        emit(removal.model_dump(mode="json"))
    else:
        out.print(f"Removed; on record as {removal.record_id}.")


@app.command(epilog="Example: tessera pack verify --home var && echo whole")
def verify(
    home: HomeOption = None,
    edition: EditionOption = None,
    meeting: Annotated[
        str | None,
        typer.Option(help="Verify what was frozen for a meeting, and its addenda, instead."),
    ] = None,
    freeze_id: FreezeOption = None,
    render: Annotated[
        bool, typer.Option("--render", help="Also render every page again and compare.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Prove that a pack's pages and tables, and its edition, belong together, as they were built.

    With --meeting, proves the frozen pack and its addenda: every byte against its manifest, the
    manifest against the record, the tables against the edition. Exit codes: 0 all holds; 2 there is
    no such pack; 3 something is not as it was.
    """
    from pipelines.committee import freeze, pack, proof
    from pipelines.committee.edition import EditionError

    where, settings = home_and_settings(home)
    try:
        if meeting is not None:
            frozen = freeze.frozen_pack(where, meeting, freeze_id)
            found = list(proof.problems_of_frozen(where, frozen))
            name, n_files = frozen.edition_id, frozen.n_files
        else:
            verdict = pack.verify(where, edition)
            found = list(verdict.problems)
            name, n_files = verdict.edition_id, verdict.n_files
            if render and not found:
                manifest = pack.manifest_of(verdict.path)
                found = list(proof.rendered_again(where, settings, manifest))
    except (pack.PackError, EditionError) as error:
        fail(USAGE, str(error))
    if json:
        for problem in found:
            emit(asdict(problem))
        told = {"edition_id": name, "ok": not found, "files": n_files, "problems": len(found)}
        emit({"summary": told})
    else:
        for problem in found:
            out.print(f"{problem.file}: {problem.message}", markup=False)
        out.print(_verdict(meeting, name, n_files, ok=not found), soft_wrap=True)
    raise typer.Exit(FAILED if found else DONE)


def _verdict(meeting: str | None, edition_id: str, n_files: int, *, ok: bool) -> str:
    if meeting is not None:
        return (
            f"What {meeting} saw, of edition {edition_id}: {n_files} files, as they were frozen."
            if ok
            else f"What {meeting} saw is not as it was frozen: restore it from a backup."
        )
    return (
        f"Pack {edition_id}: {n_files} files, as they were built."
        if ok
        else f"Pack {edition_id} is not as it was built: `tessera pack build` makes it "
        "again from its edition."
    )
