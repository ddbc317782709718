"""`tessera decision`: what named people decided about a learner, written down once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines.commands.console import (
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

app = typer.Typer(
    help="Record what named people decided about a learner.",
    epilog="Example: tessera decision record --help",
    no_args_is_help=True,
)

People = list[str]


@app.callback()
def _group() -> None:
    """Record what named people decided about a learner."""


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
