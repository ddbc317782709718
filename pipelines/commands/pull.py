"""`tessera pull`: bring what is new in a Learning Record Store into the inbox."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.console import (
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
    progress,
)


def command(
    source: Annotated[
        str, typer.Argument(help="A source with `pull` in its spec.", show_default=False)
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Ask for everything, whatever is known.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Ask a store for its new statements and put them into the inbox as one delivery.

    Key and secret come from TESSERA_LRS_<SOURCE>_KEY and _SECRET (or _TOKEN, or _URI with all).
    A pull that was broken off goes on where it stopped. Ends with 2 when source or access are not
    configured, with 3 when the store cannot be pulled from.

    Example: tessera pull xapi_wba
    """
    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError, known
    from pipelines.sources.lrs.access import AccessError
    from pipelines.sources.lrs.client import PullError
    from pipelines.sources.lrs.source import pull_source, pulled_sources

    opened, settings = home_and_settings(home, make=True)
    try:
        specs = catalogue.load(settings).sources
    except SourceError as error:
        fail(USAGE, str(error))
    if source not in specs:
        pulled = pulled_sources(specs)
        remedy = known(pulled, source) if pulled else "No spec says `pull: {endpoint: …}` yet."
        fail(USAGE, f"there is no source {source}. {remedy}")
    try:
        with progress() as bar:
            shown = bar.add_task(f"Pull {source}", total=None, unit="statements")
            report = pull_source(
                opened,
                specs[source],
                full=full,
                progress=lambda n: bar.update(shown, completed=n),
            )
    except AccessError as error:
        fail(USAGE, str(error))
    except PullError as error:
        fail(FAILED, f"{source}: {error}")
    if json:
        emit(report.model_dump(mode="json"))
        return
    asked = "everything" if report.since is None else f"what is new since {report.since:%F %T}Z"
    out.print(
        f"{source}: asked for {asked}; {report.n_statements:,} statements, "
        f"{report.n_new:,} of them new"
    )
    if report.file is not None:
        out.print(f"They lie in the inbox as {report.file}. Next: tessera run", style="dim")
