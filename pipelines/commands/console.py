"""What all commands share: exit codes, machine output, tables and progress."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

    from pipelines.home import Home
    from pipelines.settings import Settings

DONE = 0
ATTENTION = 1
USAGE = 2
FAILED = 3

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The home folder; default: TESSERA_HOME, else var.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON Lines for machines.")]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def given_settings(home: Path | None = None) -> Settings:
    """Return the settings of the environment, with the home named on the command line."""
    from pydantic import ValidationError

    from pipelines.settings import Settings

    try:
        return Settings() if home is None else Settings(home=home)
    except ValidationError as error:
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        fail(USAGE, f"TESSERA_{str(first['loc'][0]).upper()}: {message}")


def home_and_settings(home: Path | None, *, make: bool = False) -> tuple[Home, Settings]:
    """Return the home named on the command line, or in the environment, and the settings.

    Args:
        home: the home named on the command line.
        make: make the home where there is none, instead of refusing a mistyped name.
    """
    from pipelines.home import Home, HomeError

    settings = given_settings(home)
    try:
        return (Home.open if make else Home.find)(settings.home), settings
    except (HomeError, OSError) as error:
        fail(USAGE, str(error))


def as_line(record: dict[str, Any]) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"


def emit(record: dict[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(as_line(record))


def fail(code: int, message: str) -> NoReturn:
    """Say what is wrong on standard error and leave with the exit code."""
    from rich.markup import escape

    err.print(f"[bold]tessera:[/bold] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)


def progress() -> Progress:
    """Return a progress bar with rate and time left; silent where nobody watches."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(rate_text(task.speed or task.finished_speed, task.fields.get("unit")))

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 record`, `2,000 records`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def rate_text(speed: float | None, unit: str | None) -> str:
    """Return how many units are done a second, where that is known."""
    return "" if speed is None or unit is None else f"{speed:,.0f} {unit}/s"
