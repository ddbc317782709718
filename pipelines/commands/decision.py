"""`tessera decision`: what named people decided about a learner, written down once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.console import (
    ATTENTION,
    USAGE,
    HomeOption,
    JsonOption,
    counted,
    emit,
    fail,
    home_and_settings,
    out,
)

if TYPE_CHECKING:
    from pipelines.committee.taking import Taken

app = typer.Typer(
    help="Decisions about learners: the form, its return, one by one, and out again.",
    epilog="Example: tessera decision record --help",
    no_args_is_help=True,
)

People = list[str]


@app.callback()
def _group() -> None:
    """Decisions about learners: the form, its return, one by one, and out again."""


@app.command("form")
def form(
    to: Annotated[Path, typer.Option("--out", help="The file to write, .xlsx or .csv.")],
    vocabulary: Annotated[str, typer.Option(help="arcp, royal_college, local_1 or the site's.")],
    meeting: Annotated[
        str | None, typer.Option(help="The meeting; without one it is a chair's action.")
    ] = None,
    learner: Annotated[
        People | None, typer.Option(help="Key of a learner, as on the pages; once for each.")
    ] = None,
    freeze_id: Annotated[
        str | None,
        typer.Option(
            "--freeze", help="Which frozen pack; default: the newest one.", show_default=False
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write the form that a meeting fills in: one row a learner of its agenda.

    Outcomes and members of the committee are drop-downs. Nothing is filled in that people decide.
    The form belongs to the frozen pack of the meeting, where there is one, and names the addenda
    that have to be seen. It holds personal data: delete it when it was taken.

    Example: tessera decision form --meeting PC-2026-11 --vocabulary local_1 --out decisions.xlsx

    Next: fill it in, then tessera decision take decisions.xlsx --by "A. Muster"
    """
    from pipelines.committee.edition import EditionError
    from pipelines.committee.form import make
    from pipelines.committee.form_sheet import write
    from pipelines.committee.pack import PackError
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    try:
        made = make(
            opened,
            settings,
            vocabulary_id=vocabulary,
            meeting_id=meeting,
            learner_keys=learner or (),
            freeze_id=freeze_id,
        )
        write(made, to)
    except (PackError, EditionError, SourceError) as error:
        fail(USAGE, str(error))
    n_learners = len(made.rows) - 1
    frozen = made.rows[0]["freeze_id"] or None
    if json:
        emit(
            {
                "form_id": made.form_id,
                "path": str(to),
                "learners": n_learners,
                "members": len(made.members),
                "members_without_id": made.unnamed,
                "edition_id": made.rows[0]["edition_id"],
                "freeze_id": frozen,
            }
        )
        return
    out.print(
        f"{to}: {counted(n_learners, 'learner')}, "
        f"{counted(len(made.members), 'member')} to choose from."
    )
    if meeting and frozen is None:
        out.print("No pack is frozen for this meeting: its decisions will name none.")
    if made.unnamed:
        out.print(
            f"{made.unnamed} members have no id in the name space of decisions and cannot be "
            "chosen: link one in a roster, or name another name space in the site's spec of "
            "committee_decisions",
            soft_wrap=True,
        )
    out.print(f'Next: fill it in, then tessera decision take {to} --by "..."', soft_wrap=True)


@app.command("take")
def take(
    file: Annotated[Path, typer.Argument(help="The form as it came back.", dir_okay=False)],
    by: Annotated[str, typer.Option("--by", help="Who takes it; a named person.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Read a filled-in form back: each good row becomes a decision in one delivery of the inbox.

    A row that cannot be taken is said with its row, field and what to do, and holds up no other.
    The same form again brings nothing new; a row that was changed since has to say what it
    corrects. Exit codes: 0 all taken; 1 rows were refused or need a look; 2 no form of this home.

    Example: tessera decision take decisions.xlsx --by "A. Muster"

    Next: tessera run takes it in; the next edition says which decisions stand.
    """
    from pipelines.committee.form import FormError
    from pipelines.committee.taking import take as read_back
    from pipelines.identity.named import UnnamedError, named
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    try:
        taken = read_back(opened, settings, file, named(by))
    except (FormError, UnnamedError, SourceError) as error:
        fail(USAGE, str(error))
    if json:
        _emit_taken(taken)
    else:
        _print_taken(taken)
    if taken.problems or taken.warnings:
        raise typer.Exit(ATTENTION)


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--out", help="The file to write, .csv or .parquet.")],
    programme: Annotated[str | None, typer.Option(help="Of one programme only.")] = None,
    edition: Annotated[
        str | None, typer.Option(help="Which edition; default: the current one.")
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(help="Of the learners' ids; default: that of recorded decisions."),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write decisions for the student record: those that stand, after the programme's embargo.

    A correction is a row of its own and names the record that it corrects. Neither who decided nor
    why goes out. The embargo is a rule set: `tessera rules show decision_embargo`. Exit codes:
    0 written; 1 written, but for learners without an id; 2 nothing was written.

    Example: tessera decision export --out decisions.csv

    Next: hand the file to the student record, and delete it here: it holds personal data.
    """
    from pipelines.committee.edition import EditionError
    from pipelines.committee.export import export as write_out
    from pipelines.committee.pack import PackError
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    try:
        done = write_out(
            opened, settings, to, edition_id=edition, programme_id=programme, namespace=namespace
        )
    except (PackError, EditionError, SourceError) as error:
        fail(USAGE, str(error))
    if json:
        emit(asdict(done) | {"path": str(to)})
    else:
        out.print(
            f"{to}: {done.n_decisions} decisions; {done.n_waiting} more are under embargo.",
            soft_wrap=True,
        )
        if done.without_id:
            out.print(
                f"Not in it, for want of an id: {', '.join(done.without_id)}. Name another "
                "--namespace, or let a roster link one",
                soft_wrap=True,
            )
    if done.without_id:
        raise typer.Exit(ATTENTION)


def _emit_taken(taken: Taken) -> None:
    for decided in taken.decided:
        emit(asdict(decided) | {"ok": True})
    for problem in taken.problems:
        emit(asdict(problem) | {"ok": False})
    emit(
        {
            "summary": {
                "form_id": taken.form_id,
                "taken": len(taken.decided),
                "refused": len({problem.row for problem in taken.problems}),
                "open": taken.n_open,
                "warnings": list(taken.warnings),
                "path": str(taken.path) if taken.path else None,
            }
        }
    )


def _print_taken(taken: Taken) -> None:
    from rich.markup import escape

    for problem in taken.problems:
        out.print(escape(str(problem)), soft_wrap=True)
    for warning in taken.warnings:
        out.print(escape(warning), soft_wrap=True)
    n_actions = sum(decided.n_actions for decided in taken.decided)
    out.print(
        f"In the inbox: {counted(len(taken.decided), 'decision')} with "
        f"{counted(n_actions, 'action')}; left open: {counted(taken.n_open, 'row')}."
    )
    if taken.path:
        out.print("Next: tessera run")


@app.command("record")
def record(
    programme: Annotated[str, typer.Option(help="The programme's id.")],
    learner: Annotated[str, typer.Option(help="The learner's id.")],
    committee: Annotated[str, typer.Option(help="The committee's id.")],
    decided_by: Annotated[People, typer.Option(help="Id of a person who decided; once for each.")],
    vocabulary: Annotated[str, typer.Option(help="arcp, royal_college, local_1 or the site's.")],
    outcome: Annotated[str, typer.Option(help="An outcome of that vocabulary.")],
    rationale: Annotated[str, typer.Option(help="Why, in words.")],
    at: Annotated[str, typer.Option(help="When: 2026-11-28T15:00:00+01:00.")],
    by: Annotated[str, typer.Option(help="Who records it; a named person.")],
    meeting: Annotated[
        str | None, typer.Option(help="The meeting; without one it is a chair's action.")
    ] = None,
    present: Annotated[
        People | None, typer.Option(help="Id of a person who was present; once for each.")
    ] = None,
    recused: Annotated[
        People | None, typer.Option(help="Id of a person who stood back; once for each.")
    ] = None,
    quorum: Annotated[int | None, typer.Option(help="How many voting members it needs.")] = None,
    dissent: Annotated[str | None, typer.Option(help="What those who disagreed said.")] = None,
    dissent_by: Annotated[
        People | None, typer.Option(help="Id of a person who disagreed; once for each.")
    ] = None,
    appeal: Annotated[str, typer.Option(help="none, lodged, upheld or dismissed.")] = "none",
    corrects: Annotated[
        str | None, typer.Option(help="Record id of the decision that this one corrects.")
    ] = None,
    taken_by: Annotated[
        str | None,
        typer.Option("--list", help="How it was taken: discussion or consent."),
    ] = None,
    pulled_by: Annotated[
        str | None, typer.Option(help="Id of the member who pulled it from the consent list.")
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(help="The frozen pack that was seen, as `pack list` names it.")
    ] = None,
    addendum: Annotated[
        People | None, typer.Option(help="An addendum to it that was seen; once for each.")
    ] = None,
    action: Annotated[
        People | None,
        typer.Option(help="'what | owner role | due day', the day may be left out; repeat."),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="The site's id, where there are several.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write one decision, with the actions agreed, into the inbox; nothing is overwritten.

    Without --meeting it is a chair's action: exactly one person decided. A correction is a new
    decision with --corrects. Exit codes: 0 written; 2 refused, and every reason is said.

    Example: tessera decision record --programme MED --learner s17 --committee PC
    --meeting PC-2026-11 --decided-by a1 --decided-by a2 --present a1 --present a2
    --vocabulary local_1 --outcome "targeted support" --rationale "Handover needs practice."
    --action "Three observed handovers | mentor | 2027-02-01"
    --at 2026-11-28T15:00:00+01:00 --by "A. Muster"

    Next: tessera run takes it in; the next edition says whether the decision stands.
    """
    from pipelines.committee.recording import RecordingError
    from pipelines.committee.recording import record as write
    from pipelines.identity.named import UnnamedError, named
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    decision = {
        "programme_id": programme,
        "site_id": site,
        "learner_id": learner,
        "decision_kind": "chairs_action" if meeting is None else "meeting",
        "committee_id": committee,
        "meeting_id": meeting,
        "decided_by": decided_by,
        "present": present,
        "recused": recused,
        "quorum": quorum,
        "vocabulary_id": vocabulary,
        "outcome": outcome,
        "rationale": rationale,
        "dissent": dissent,
        "dissent_by": dissent_by,
        "appeal_status": appeal,
        "decided_at": at,
        "corrects_record_id": corrects,
        "agenda_list": taken_by,
        "pulled_by_id": pulled_by,
        "freeze_id": freeze,
        "addendum_ids": addendum,
    }
    actions = [_action(text, at[:10]) for text in action or ()]
    try:
        recorded = write(opened, settings, decision, actions, named(by))
    except (UnnamedError, SourceError) as error:
        fail(USAGE, str(error))
    except RecordingError as error:
        listed = "\n".join(f"  {reason}" for reason in error.reasons)
        fail(USAGE, f"nothing was recorded:\n{listed}")
    if json:
        emit(
            {
                "record_id": recorded.record_id,
                "actions": recorded.n_actions,
                "path": str(recorded.path),
            }
        )
    else:
        out.print(
            f"Recorded as {recorded.record_id} with {recorded.n_actions} actions. "
            "Next: tessera run",
            soft_wrap=True,
        )


def _action(text: str, agreed_on: str) -> dict[str, Any]:
    """Return the fields of an action written as `what | owner role | due day`."""
    what, owner, due, *rest = [*(part.strip() or None for part in text.split("|")), None, None]
    if what is None or owner is None or any(rest):
        fail(USAGE, f"--action {text!r}: write it as 'what | owner role | due day'")
    return {"description": what, "owner_role": owner, "agreed_on": agreed_on, "due_on": due}
