"""`tessera cut-score`: set the cut-score of a sitting, and see which ones are on record."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands import console

app = typer.Typer(
    help="Cut-scores of sittings: how each was set, and by whom.",
    epilog="Example: tessera cut-score list --home var",
    no_args_is_help=True,
)

METHODS = ("angoff", "ebel", "hofstee", "cohen", "borderline_regression")


@app.callback()
def _main() -> None:
    """Cut-scores of sittings: how each was set, and by whom."""


@app.command("set")
def set_(
    method: Annotated[str, typer.Argument(help=f"One of {', '.join(METHODS)}.")],
    programme: Annotated[str, typer.Option("--programme", help="The programme.")],
    task: Annotated[str, typer.Option("--task", help="The exam.")],
    sitting: Annotated[str, typer.Option("--sitting", help="The sitting that it is for.")],
    decided_by: Annotated[str, typer.Option("--decided-by", help="The body that decided.")],
    panel: Annotated[
        list[Path] | None,
        typer.Option(
            "--panel",
            help="For angoff: a CSV, items down, judges across, 0 to 1; one a round, in order.",
        ),
    ] = None,
    parameters: Annotated[
        str, typer.Option("--parameters", help="What the method is given, as a JSON object.")
    ] = "{}",
    ahead: Annotated[
        bool,
        typer.Option("--ahead", help="The sitting is still to come; for angoff and ebel."),
    ] = False,
    home: console.HomeOption = None,
    json: console.JsonOption = False,
) -> None:
    """Set the cut-score of one sitting and keep it with its method, panel and standard error.

    Angoff reads judges from a file, Ebel takes its classes as parameters; Hofstee, Cohen and
    borderline regression use the scores of the current edition. The sitting is one of that edition,
    a panel has judged every item of it, and the cut-score lies within its points. Of several rounds
    of a panel, given as --panel for each, the last sets it, and the earlier ones are kept beside
    it. Of a sitting that is still to come (--ahead) nothing can be held against it. A cut-score is
    never changed: a newer one for the same sitting takes over.

    Example: tessera cut-score set cohen --programme MED --task MCQ --sitting S1 --decided-by "exam
    board" --parameters '{"share": 0.6, "guess_score": 20}'    then: tessera run
    """
    from pipelines.measurement.refusal import UnmeasurableError
    from pipelines.warehouse import standards
    from pipelines.warehouse.connection import WarehouseError
    from pipelines.warehouse.cut_scores import keep

    opened, _ = console.home_and_settings(home)
    given = _parameters(parameters)
    names = {"programme_id": programme, "task_id": task, "sitting_id": sitting}
    if method not in METHODS:
        console.fail(
            console.USAGE, f"there is no method {method}: it is one of {', '.join(METHODS)}"
        )
    try:
        found = standards.set_by(
            opened, names, method, decided_by, given, panel or (), is_ahead=ahead
        )
    except UnmeasurableError as refusal:
        console.fail(console.USAGE, str(refusal))
    except WarehouseError as error:
        console.fail(console.FAILED, str(error))
    for one, cut_score_id in zip(found, keep(opened, found), strict=True):
        _print(one.model_dump(mode="json") | {"cut_score_id": cut_score_id}, json)
    if not json:
        console.out.print("It takes effect with the next edition: tessera run")


@app.command("list")
def list_(home: console.HomeOption = None, json: console.JsonOption = False) -> None:
    """List every cut-score on record, with how it was set.

    Example: tessera cut-score list --home var
    """
    from pipelines.warehouse.cut_scores import kept

    opened, _ = console.home_and_settings(home)
    found = kept(opened)
    for one in found:
        _print(one.model_dump(mode="json"), json)
    if not found:
        if not json:
            console.out.print("No cut-score is on record: tessera cut-score set --help")
        raise typer.Exit(console.ATTENTION)


def _parameters(text: str) -> dict[str, Any]:
    try:
        given = jsonlib.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        console.fail(console.USAGE, '--parameters is no JSON object, such as {"share": 0.6}')
    return given


def _print(record: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.emit(record)
        return
    where = f"{record['task_id']}, sitting {record['sitting_id']}"
    if record["station_id"]:
        where += f", station {record['station_id']}"
    error, others = record["standard_error"], record["sensitivity"].values()
    rounds = [one["cut_score"] for one in record["parameters"].get("earlier_rounds", ())]
    console.out.print(
        f"{record['cut_score_id']}  {where}: {record['cut_score']:.2f} by {record['method']}"
        + (f", standard error {error:.2f}" if error is not None else "")
        + (
            f", R² {record['r_squared']:.2f}, RMSE {record['rmse']:.2f}"
            if record["r_squared"] is not None
            else ""
        )
        + (
            ", extrapolated: at a station all grades lie on one side of the borderline one"
            if record["parameters"].get("is_extrapolated")
            else ""
        )
        + (f", after {' and '.join(f'{one:.2f}' for one in rounds)}" if rounds else "")
        + (
            f", {min(others):.2f} to {max(others):.2f} at other distances of grades"
            if others
            else ""
        )
        + f" ({record['decided_by']})",
        markup=False,
    )
