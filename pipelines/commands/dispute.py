"""`tessera dispute`: data points that learners dispute, and what is answered."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.console import (
    ATTENTION,
    DONE,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

app = typer.Typer(
    help="Disputes of data points: list them with their owners, answer them.",
    epilog="Example: tessera dispute list --home var",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: tessera dispute list --home var --json")
def list_disputes(home: HomeOption = None, json: JsonOption = False) -> None:
    """List disputes, those nobody has answered first.

    Exit codes: 0 all are answered; 1 somebody waits for an answer.
    """
    from pipelines.committee.disputes import disputes
    from pipelines.committee.edition import EditionError, find

    where, _ = home_and_settings(home)
    try:
        found = disputes(find(where, None))
    except EditionError as error:
        fail(USAGE, str(error))
    for row in found:
        if json:
            emit({name: str(v) if v is not None else None for name, v in row.items()})
        else:
            owner = row["owner_key"] or row["owner_role"]
            out.print(
                f"{row['record_id']} {row['dispute_status']}: {row['learner_key']} about "
                f"{row['about_evidence_id'] or 'an unknown record'}, {row['occurred_on']}, "
                f"owner {owner}",
                markup=False,
                soft_wrap=True,
            )
    open_ones = sum(row["dispute_status"] == "raised" for row in found)
    if not json:
        out.print(
            f"{open_ones} to answer. Next: tessera dispute answer ID --text ... --by STAFF_ID"
            if open_ones
            else "No dispute waits for an answer."
        )
    raise typer.Exit(ATTENTION if open_ones else DONE)


@app.command(
    epilog="Example: tessera dispute answer dispute-E-3F5C107D0675 --by t2001 "
    '--text "The form was entered for the wrong day; its source was asked to correct it."'
)
def answer(
    record: Annotated[str, typer.Argument(help="The dispute, as `list` shows it.")],
    text: Annotated[str, typer.Option(help="What is answered, word for word.")],
    by: Annotated[str, typer.Option(help="The staff id of the person who answers.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a dispute; the answer is a delivery like any other.

    Next: tessera run, and the answer stands on the learner's and the committee's page.
    """
    from pipelines.committee.disputes import DisputeError, answer
    from pipelines.committee.edition import EditionError, find
    from pipelines.committee.people import everybody

    where, settings = home_and_settings(home)
    try:
        source = find(where, None)
        done = answer(where, settings, source, record, text, by, everybody(where, settings))
    except (EditionError, DisputeError) as error:
        fail(USAGE, str(error))
    if json:
        emit({"record_id": done.record_id, "path": str(done.path)})
    else:
        out.print(f"Answered as {done.record_id}: {done.path}", soft_wrap=True)
        out.print("Next: tessera run")
