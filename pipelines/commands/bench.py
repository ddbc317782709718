"""`tessera bench`: what Tessera costs, beside a floor and a rival in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.console import FAILED, USAGE, JsonOption, emit, err, fail, out

if TYPE_CHECKING:
    from benchmarks.figures import Outcome


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which benchmarks; all if none is named.", show_default=False),
    ] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(
            "--size",
            min=1,
            help="Measure at this size; give it again for another.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also the sizes that take many minutes.")
    ] = False,
    runs: Annotated[int, typer.Option("--runs", min=1, help="How often each side runs.")] = 3,
    save: Annotated[
        bool,
        typer.Option("--save/--no-save", help="Keep the results and renew the page of the docs."),
    ] = True,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            help="Where `benchmarks/results` and `docs` are; default: this project.",
            show_default=False,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="Where data and the environments of rivals are kept; default: bench in "
            "TESSERA_HOME, else the user's cache.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Measure Tessera beside a floor and a rival, in turns, and print both ratios.

    Rivals are installed by pip into environments of their own; one that cannot be installed is
    named, and the rest is measured. Run it on an idle machine.

    Example: tessera bench intake --runs 3    then: docs/benchmarks.md
    """
    from benchmarks import run as benchmarks
    from benchmarks.environments import cache_folder
    from benchmarks.registry import ENTRIES, Options

    try:
        entries = benchmarks.chosen(names or ())
    except KeyError as error:
        fail(USAGE, f"there is no benchmark {error}: choose from {', '.join(ENTRIES)}")
    options = Options(
        cache=(cache or cache_folder()).resolve(),
        sizes=tuple(size or ()),
        full=full,
        runs=runs,
        observer=_tell,
    )
    where = project or benchmarks.PROJECT
    outcomes = []
    for entry in entries:
        if not json:
            err.print(f"{entry.name}: {entry.title}")
        outcome = benchmarks.run(entry, options)
        outcomes.append(outcome)
        if save:
            benchmarks.keep(outcome, where)
        if json:
            for line in as_json(outcome):
                emit(line)
        else:
            _print(outcome)
    if save:
        renewed = benchmarks.renew_page(where)
        if not json:
            out.print(f"Kept in {where / 'benchmarks' / 'results'}. Next: read {renewed}")
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(FAILED)


def as_json(outcome: Outcome) -> list[dict[str, Any]]:
    """Return one object a case, or one that says what is not there yet."""
    whole = outcome.model_dump(mode="json")
    cases = whole.pop("cases")
    return [whole | case for case in cases] or [whole]


def _tell(label: str, number: int) -> None:
    err.print(f"  run {number} of {label}", style="dim")


def _print(outcome: Outcome) -> None:
    from rich.table import Table

    from benchmarks import words

    if outcome.status != "done":
        out.print(f"{outcome.benchmark}: {outcome.status}: {outcome.reason}")
        return
    for case in outcome.cases:
        table = Table("", "figure", "median of runs (fastest to slowest)", "peak memory", box=None)
        for role, figure in words.contestants(case):
            if figure is not None:
                label = f"{role}{figure.label} {figure.version}".strip()
                shown = words.spread_text(figure), words.memory_text(figure)
                table.add_row(label, words.figure_text(figure, case.unit), *shown)
        out.print(f"[bold]{case.name}, {case.size:,}[/bold]")
        out.print(table)
        floor, rival = words.ratios(case)
        out.print(f"  times the floor: {floor}; times the rival: {rival}\n")
    settings = outcome.settings | outcome.versions
    out.print(", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in settings.items()))
    out.print(words.machine_text(outcome))
