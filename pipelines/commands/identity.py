"""`tessera identity`: who is who, and what people decide about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from pipelines.identity.decisions import Decision, Identity
    from pipelines.identity.people import Registry
    from pipelines.settings import Settings

app = typer.Typer(
    help="Who is who, and what people decide about it. Identities are written NAMESPACE:ID.",
    epilog='Example: tessera identity merge student_number:0042 email:a@b.example --by "A. Muster" '
    '--reason "same person, by the register"',
    no_args_is_help=True,
)

_By = Annotated[str, typer.Option("--by", help="The person who decides.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it stays on record.")]
_One = Annotated[str, typer.Argument(metavar="IDENTITY", help="NAMESPACE:ID")]
_Several = Annotated[
    list[str], typer.Argument(metavar="IDENTITY...", help="NAMESPACE:ID, or NAMESPACE:ID@DAY")
]
NEXT = "Next: tessera run"


@app.command("list")
def list_people(
    identity: Annotated[
        str | None, typer.Argument(help="Only this person.", show_default=False)
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Also people with one id only.")] = False,
    show_ids: Annotated[
        bool, typer.Option("--show-ids", help="Do not mask ids; they are personal data.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List people with several ids, with an id that others had, or under a legal hold.

    Example: tessera identity list --all --json
    """
    with _registry(home) as (registry, _, _):
        only = registry.identity(identity) if identity is not None else None
        found = registry.persons(only)
        if only is not None and not found:
            fail(USAGE, f"no record names {only.masked}")
        for person in found:
            is_plain = len(person.identities) == 1 and person.identities[0].on is None
            if only is None and not everybody and is_plain and not person.is_held:
                continue
            shown = [str(i) if show_ids else _masked(i) for i in person.identities]
            told = {
                "person_key": person.person_key,
                "role": person.role,
                "identities": shown,
                "is_known": person.is_known,
                "is_held": person.is_held,
            }
            if json:
                emit(told)
            else:
                marks = [] if person.is_known else ["in no roster"]
                marks += ["legal hold"] if person.is_held else []
                out.print(f"{person.person_key} {person.role}: {', '.join(shown)}", *marks)
        if not found and not json:
            out.print("Nobody is known yet. Next: put files into the inbox, then tessera run")


@app.command("log")
def log_decisions(
    show_ids: Annotated[bool, typer.Option("--show-ids", help="Do not mask ids.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show every decision about identities, with who, when and why.

    Example: tessera identity log
    """
    from rich.markup import escape

    from pipelines.identity.decisions import decisions

    opened, _ = home_and_settings(home)
    for decision in decisions(opened):
        told = _told(decision, show_ids=show_ids)
        if json:
            emit(told)
        else:
            who = ", ".join(told["identities"]) or "all"
            out.print(
                escape(
                    f"{decision.decided_at:%Y-%m-%d %H:%M} {decision.action} {who}: "
                    f"{decision.reason} ({decision.by})"
                )
            )


@app.command("merge")
def merge(
    identities: _Several,
    by: _By,
    reason: _Reason,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say that identities are one person.

    What was read stays as it is: the next run joins them.

    Example: tessera identity merge student_number:0042 email:a@b.example --by "A. Muster"
    --reason "same person, by the register"
    """
    with _registry(home) as (registry, _, _):
        found = [registry.identity(text) for text in identities]
        _done(registry.merge(found, by, reason), registry, json=json)


@app.command("split")
def split(
    identities: _Several,
    by: _By,
    reason: _Reason,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say that identities belong to another person than those they are joined with.

    Several identities stay together. Rosters that say otherwise no longer count for them; a later
    merge does.

    Example: tessera identity split student_number:0042 --by "A. Muster" --reason "two people"
    """
    with _registry(home) as (registry, _, _):
        found = [registry.identity(text) for text in identities]
        _done(registry.split(found, by, reason), registry, json=json)


@app.command("reuse")
def reuse(
    identity: _One,
    from_day: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day on which it means another."),
    ],
    by: _By,
    reason: _Reason,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say that an id was given to another person from a day on.

    Example: tessera identity reuse student_number:0042 --from 2027-09-01 --by "A. Muster"
    --reason "number given out again"
    """
    with _registry(home) as (registry, _, _):
        found = registry.identity(identity)
        _done(registry.reuse(found, from_day.date(), by, reason), registry, json=json)


@app.command("rotate")
def rotate_key(by: _By, reason: _Reason, home: HomeOption = None, json: JsonOption = False) -> None:
    """Make a new key for pseudonyms.

    What is in the log keeps its pseudonyms; what comes gets new ones; people stay the same.

    Example: tessera identity rotate --by "A. Muster" --reason "yearly rotation"
    """
    from pipelines.identity.people import rotate

    with _registry(home) as (registry, opened, _):
        _done(rotate(opened, by, reason), registry, json=json)


@app.command("hold")
def hold(
    identity: _One, by: _By, reason: _Reason, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Forbid that anything of a person is erased: a legal hold.

    Example: tessera identity hold student_number:0042 --by "A. Muster" --reason "appeal 12/2027"
    """
    with _registry(home) as (registry, _, _):
        _done(registry.hold(registry.identity(identity), by, reason), registry, json=json)


@app.command("release")
def release(
    identity: _One, by: _By, reason: _Reason, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Lift a legal hold.

    Example: tessera identity release student_number:0042 --by "A. Muster" --reason "appeal closed"
    """
    with _registry(home) as (registry, _, _):
        _done(registry.release(registry.identity(identity), by, reason), registry, json=json)


@app.command("export")
def export_person(
    identity: _One,
    to: Annotated[
        Path, typer.Option("--out", help="A new file that ends in .zip; it is personal data.")
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write everything that is held on a person, for that person.

    What would give others away stays behind and is counted in withheld.json.

    Example: tessera identity export student_number:0042 --out held-on-0042.zip
    """
    from pipelines.home import PRIVATE, write_atomically
    from pipelines.intake.feeds import foldings, load_feeds
    from pipelines.person_export import ExportError, export

    if to.suffix != ".zip" or to.exists():
        fail(USAGE, f"--out {to}: give a new file that ends in .zip")
    with _registry(home) as (registry, opened, settings):
        found = registry.identity(identity)
    try:
        held = export(opened, settings, found, foldings(load_feeds(settings)))
    except ExportError as error:
        fail(USAGE, str(error))
    write_atomically(to, held.archive(), mode=PRIVATE)
    if json:
        emit({"out": str(to), "records": dict(held.counts), "withheld": dict(held.withheld)})
        return
    out.print(f"{sum(held.counts.values()):,} records in {to}", soft_wrap=True)
    for reason, n in sorted(held.withheld.items()):
        out.print(f"{n:,} stay behind: {reason}", soft_wrap=True)
    out.print("Next: hand the file to the person it is about, and to nobody else")


@app.command("erase")
def erase_person(
    identity: _One,
    by: _By,
    reason: _Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a person from everything that is kept. It cannot be undone.

    Archive, log, vault, quarantine, editions and packs are rewritten without the person, with old
    and new hash on record. A legal hold refuses it.

    Example: tessera identity erase student_number:0042 --by "A. Muster" --reason "request 7/2027"
    --yes
    """
    from pipelines.erasure import ErasureError, erase
    from pipelines.identity.named import UnnamedError
    from pipelines.intake.feeds import foldings, load_feeds

    with _registry(home, locked=False) as (registry, opened, settings):
        found = registry.identity(identity)
    if not yes:
        shown = ", ".join(item.masked for item in registry.identities_of(found))
        out.print(f"This erases {shown} from {opened.root}, for good. Add --yes to do it.")
        raise typer.Exit(ATTENTION)
    try:
        written = foldings(load_feeds(settings))
        report = erase(opened, settings, found, by=by, reason=reason, foldings=written)
    except (ErasureError, UnnamedError) as error:
        fail(FAILED if isinstance(error, ErasureError) else USAGE, str(error))
    if json:
        emit(report.model_dump(mode="json"))
    else:
        out.print(
            f"{report.n_records:,} records and {len(report.files):,} files rewritten or removed; "
            f"on record as {report.erasure_id}"
        )
        for note in report.notes:
            out.print(note, soft_wrap=True)
        out.print(NEXT)
    raise typer.Exit(ATTENTION if report.notes else DONE)


@contextmanager
def _registry(
    path: Path | None, *, locked: bool = True
) -> Iterator[tuple[Registry, Home, Settings]]:
    """Open the vault for one command, and say in words what is wrong."""
    from contextlib import nullcontext

    from pipelines.home import HomeError
    from pipelines.identity.decisions import IdentityError
    from pipelines.identity.named import UnnamedError
    from pipelines.intake.feeds import foldings, load_feeds
    from pipelines.intake.people import known_people
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(path)
    try:
        with opened.writing(timeout=60) if locked else nullcontext():
            yield known_people(opened, foldings(load_feeds(settings))), opened, settings
    except (IdentityError, UnnamedError, SourceError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))


def _masked(identity: Identity) -> str:
    return identity.masked + (f"@{identity.on}" if identity.on else "")


def _told(decision: Decision, *, show_ids: bool = False) -> dict[str, Any]:
    return decision.model_dump(mode="json") | {
        "decision_id": decision.decision_id,
        "identities": [str(i) if show_ids else _masked(i) for i in decision.identities],
    }


def _done(decision: Decision, registry: Registry, *, json: bool) -> None:
    unmet = [item.masked for item in decision.identities if not registry.is_met(item)]
    if json:
        emit(_told(decision) | {"not_met_yet": unmet})
        return
    out.print(f"{decision.action} on record as {decision.decision_id}, by {decision.by}")
    if unmet:
        out.print(f"No record names {', '.join(unmet)} yet: it counts as soon as one does")
    out.print(NEXT)
