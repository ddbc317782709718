"""`tessera quarantine`: what was refused or held, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.console import (
    ATTENTION,
    FAILED,
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
    from pipelines.home import Home
    from pipelines.intake.replay import ReplayReport
    from pipelines.settings import Settings

app = typer.Typer(
    help="What was refused, waits or is held: by cause, one by one, or as a sheet to correct.",
    epilog="Example: tessera quarantine list --home var",
    no_args_is_help=True,
)

_Delivery = Annotated[
    str | None, typer.Option("--delivery", help="Only this delivery.", show_default=False)
]
_Code = Annotated[
    str | None, typer.Option("--code", help="Only records with this problem.", show_default=False)
]


@app.command("list")
def list_causes(
    settled: Annotated[
        bool,
        typer.Option("--settled", help="List what was refused and is settled by now, and how."),
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what waits for a person, grouped by cause, with its owner.

    Ends with 1 when there is anything. Values are masked. A refusal is settled when a later
    delivery brings the same record, and it is good.

    Example: tessera quarantine list --json
    """
    from rich.markup import escape

    from pipelines.contracts.problems import in_one_line
    from pipelines.intake.quarantine import causes

    opened, _ = home_and_settings(home)
    if settled:
        _list_settled(opened, json=json)
        return
    found = causes(opened)
    if json:
        for cause in found:
            emit(cause.model_dump(mode="json"))
    elif not found:
        out.print("Nothing waits for a person.")
    else:
        for cause in found:
            where = " · ".join(filter(None, (cause.source, cause.kind, cause.field)))
            deliveries = counted(cause.n_deliveries, "delivery", "deliveries")
            told = f"{counted(cause.n_records, 'record')} in {deliveries}"
            out.print(escape(f"{cause.code}: {told}, owner {cause.owner}. {where}"))
            example = in_one_line(cause.message, cause.suggestion)
            out.print(escape(f"    {example}"), soft_wrap=True)
        out.print("Next: tessera quarantine show --code CODE, or tessera quarantine export FILE")
    if found:
        raise typer.Exit(ATTENTION)


def _list_settled(home: Home, *, json: bool) -> None:
    from rich.markup import escape

    from pipelines.intake.quarantine import settled

    found = settled(home)
    for item in found:
        if json:
            emit(item.model_dump(mode="json"))
        else:
            what = f"{item.code}: {counted(item.n_records, 'record')} of {item.source}, {item.kind}"
            out.print(escape(f"{what}: {item.how}, see {item.settled_by}"), soft_wrap=True)
    if not found and not json:
        out.print("No refusal was settled by a later delivery.")


@app.command("show")
def show_records(
    delivery: _Delivery = None,
    row: Annotated[int | None, typer.Option(help="Only this row.", show_default=False)] = None,
    code: _Code = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 20,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show refused records with their originals, which are personal data.

    Example: tessera quarantine show --delivery forms-0123456789abcdef --row 17
    """
    from rich.markup import escape

    from pipelines.contracts.problems import in_one_line
    from pipelines.intake.quarantine import show

    opened, _ = home_and_settings(home)
    found = list(show(opened, delivery_id=delivery, row=row, code=code, limit=limit))
    if not found and (delivery, row, code) != (None, None, None):
        fail(
            USAGE,
            "no refused record like that: run `tessera quarantine list`. A delivery that is held "
            "or unreadable as a whole has none of its own: `tessera ledger` says why",
        )
    for record in found:
        if json:
            emit(record.model_dump(mode="json"))
            continue
        cell = f", {record.source_cell}" if record.source_cell else ""
        out.print(escape(f"{record.file} {record.where}{cell} ({record.kind})"))
        for problem in record.problems:
            told = in_one_line(problem["message"], problem["suggestion"])
            out.print(escape(f"  {problem['code']}: {told}"))
        for name, value in (record.original or record.record or {}).items():
            out.print(escape(f"    {name} = {value}"))
    if found:
        raise typer.Exit(ATTENTION)


@app.command("export")
def export_records(
    file: Annotated[Path, typer.Argument(help="The file to write: .xlsx or .csv.", dir_okay=False)],
    delivery: _Delivery = None,
    code: _Code = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Only this source.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write refused records as a sheet to correct; it holds personal data.

    Beside each field stands a column for its correction. Records that only wait for a roster are
    not in it: they enter by themselves.

    Example: tessera quarantine export refused.xlsx --code unknown_label
    """
    from pipelines.intake.quarantine import show
    from pipelines.intake.sheet import SheetError, write

    opened, _ = home_and_settings(home)
    try:
        found = show(opened, delivery_id=delivery, code=code, source=source, waiting=False)
        n_written = write(found, file)
    except SheetError as error:
        fail(USAGE, str(error))
    except OSError as error:
        fail(USAGE, f"{file} cannot be written: {error.strerror}")
    if json:
        emit({"file": str(file), "records": n_written})
    else:
        out.print(f"{n_written:,} refused records written to {file}: it holds personal data")
        if n_written:
            out.print(
                "Next: fill the columns 'correction: …', then "
                f"tessera quarantine replay {file} --by 'A. Muster'"
            )
    if n_written:
        raise typer.Exit(ATTENTION)


@app.command("replay")
def replay_records(
    file: Annotated[
        Path, typer.Argument(help="The corrected sheet, .xlsx or .csv.", dir_okay=False)
    ],
    by: Annotated[str, typer.Option("--by", help="Who answers for the corrections.")],
    take_in: Annotated[
        bool, typer.Option("--take-in/--receive-only", help="Judge the records at once.")
    ] = True,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Let the corrected records of a sheet enter.

    Only the columns for corrections are read. Each replay is a delivery in the ledger; replaying
    the same sheet again brings nothing new. Records that are still wrong stay in quarantine.

    Example: tessera quarantine replay refused.xlsx --by "A. Muster"
    """
    from pipelines.home import HomeError
    from pipelines.identity.named import UnnamedError
    from pipelines.intake.replay import replay
    from pipelines.intake.sheet import SheetError, read
    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError

    opened, settings = home_and_settings(home)
    try:
        declared = catalogue.load(settings)
        report = replay(opened, settings, read(file), by=by, catalogue=declared)
    except (SheetError, UnnamedError, SourceError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))
    taken = _take_in(opened, settings, list(report.deliveries)) if take_in else {}
    still_wrong = sum(refused for _, refused in taken.values())
    if json:
        emit(
            {
                "replayed": report.n_replayed,
                "accepted": sum(accepted for accepted, _ in taken.values()) if take_in else None,
                "still_wrong": still_wrong if take_in else None,
                "already": report.already,
                "unchanged": report.unchanged,
                "refused": [{"row": r.where, "reason": r.reason} for r in report.refused],
                "deliveries": list(report.deliveries),
            }
        )
    else:
        _print_replay(report, taken, still_wrong, take_in=take_in)
    if report.refused or still_wrong:
        raise typer.Exit(ATTENTION)


def _take_in(home: Home, settings: Settings, deliveries: list[str]) -> dict[str, tuple[int, int]]:
    """Bring replays into the log; return how many records of each were accepted and refused."""
    from pipelines.intake.check import check
    from pipelines.intake.read import read
    from pipelines.intake.segment import commit
    from pipelines.intake.validate import validate

    taken = {}
    for delivery_id in deliveries:
        read(home, settings, delivery_id)
        validate(home, settings, delivery_id)
        check(home, settings, delivery_id)
        record = commit(home, settings, delivery_id)
        taken[delivery_id] = (record.n_events, record.refused)
    return taken


def _print_replay(
    report: ReplayReport, taken: dict[str, tuple[int, int]], still_wrong: int, *, take_in: bool
) -> None:
    from rich.markup import escape

    for refusal in report.refused:
        out.print(escape(f"{refusal.where}: {refusal.reason}"), soft_wrap=True)
    if report.already:
        out.print(f"{report.already:,} were replayed before: nothing new")
    if report.unchanged:
        out.print(f"{report.unchanged:,} without a correction stay in quarantine")
    for delivery_id, n in report.deliveries.items():
        out.print(f"{n:,} corrected records enter as {delivery_id}")
    if take_in and taken:
        n_accepted = sum(accepted for accepted, _ in taken.values())
        out.print(f"{n_accepted:,} are accepted, {still_wrong:,} are still wrong")
    if report.deliveries:
        out.print("Next: tessera run")
