"""`tessera calibrate`: estimate assessor stringency anew."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands import console


def command(
    home: console.HomeOption = None,
    only_if_missing: Annotated[
        bool,
        typer.Option("--only-if-missing", help="Keep the calibration in force, if there is one."),
    ] = False,
    meeting: Annotated[
        str | None,
        typer.Option(
            "--meeting",
            help="The meeting whose pack is about to be frozen; kept beside the calibration.",
            show_default=False,
        ),
    ] = None,
    json: console.JsonOption = False,
) -> None:
    """Estimate how ratings vary between learners and assessors, and put that in force.

    Nightly runs keep the calibration that there is, so that one new rating does not move every
    learner; this command makes a new one from the ratings that are loaded now.

    Example: tessera calibrate --home var    then: tessera run --home var
    Before a freeze: tessera calibrate --meeting 2026-02 --home var
    """
    from dataclasses import asdict

    from pipelines.home import HomeError
    from pipelines.warehouse.calibration import calibrate
    from pipelines.warehouse.connection import WarehouseError

    opened, settings = console.home_and_settings(home)
    if not opened.warehouse.exists():
        console.fail(console.USAGE, "nothing is loaded yet: tessera run --home ... comes first")
    try:
        report = calibrate(opened, settings, only_if_missing=only_if_missing, meeting_id=meeting)
    except (HomeError, WarehouseError) as error:
        console.fail(console.FAILED, str(error))
    if json:
        console.emit(asdict(report))
    elif report.calibration_version is None:
        console.out.print("There are no ratings to calibrate from.")
    else:
        state = "new" if report.is_new else "already there"
        console.out.print(
            f"Calibration {report.calibration_version} ({state}), "
            f"from {report.n_ratings:,} ratings:"
        )
        for scale, sentence in report.scales.items():
            console.out.print(f"  {scale}: {sentence}")
        console.out.print("It takes effect with the next edition: tessera run")
    if report.calibration_version is None:
        raise typer.Exit(console.ATTENTION)
