"""`tessera synth`: made-up cohorts with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.console import (
    DONE,
    USAGE,
    JsonOption,
    emit,
    fail,
    out,
    progress,
)

WORKERS = 2


def command(
    to: Annotated[
        Path, typer.Option("--out", help="The folder of the deliveries, such as an empty inbox.")
    ],
    learners: Annotated[int, typer.Option(help="How many learners.")] = 60,
    years: Annotated[int, typer.Option(help="How many years of evidence.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20261120,
    mess: Annotated[
        str, typer.Option(help="How much is wrong on purpose: none, low, medium or high.")
    ] = "medium",
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="mixed (as the example school's systems send), csv, jsonl, xlsx, parquet, xapi "
            "or oneroster.",
        ),
    ] = "mixed",
    truth: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the truth, outside of every inbox; default: <out>-truth.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a made-up cohort: deliveries as schools send them, and what is true beside them.

    Example: tessera synth --out var/inbox
    or: tessera synth --learners 24000 --years 3 --seed 7 --format parquet --out big/inbox
    """
    from pipelines.synth.cohort import make
    from pipelines.synth.request import Request, RequestError

    bar = progress()
    task = bar.add_task("blocks of learners")
    try:
        request = Request(learners=learners, years=years, seed=seed, mess=mess, format=format_)
        with bar:
            made = make(
                request,
                to,
                truth,
                workers=WORKERS,
                progress=lambda done, of, _: bar.update(task, completed=done, total=of),
            )
    except (RequestError, OSError) as error:
        fail(USAGE, str(error))
    if as_json:
        emit(
            {
                "inbox": str(to),
                "truth": str(made.truth),
                "site": None if made.site is None else str(made.site),
                "files": made.n_files,
                "records": made.n_records,
                "faults": made.n_faults,
                "learners": learners,
                "years": years,
                "seed": seed,
                "mess": request.mess,
                "format": request.format,
            }
        )
        raise typer.Exit(DONE)
    out.print(
        f"{made.n_files} made-up deliveries with {made.n_records:,} evidence records and "
        f"{made.n_faults} planted faults in {to}; the truth is in {made.truth}."
    )
    site = "" if made.site is None else f"TESSERA_SITE={made.site} "
    out.print(f"Next: {site}tessera run --inbox {to}", soft_wrap=True)
    raise typer.Exit(DONE)
