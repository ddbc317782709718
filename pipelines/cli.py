"""`tessera`: the steps of the pipeline without Airflow, and what people ask of its results."""

from __future__ import annotations

import atexit
import importlib
import pkgutil
from typing import Annotated

import typer

from pipelines import __version__, commands
from pipelines.ending import end_at_once

app = typer.Typer(
    name="tessera",
    help="Evidence pipeline for programmatic assessment: from an inbox to a committee page.",
    epilog="Start with: tessera run --home var    then: tessera ledger --home var",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tessera {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Evidence pipeline for programmatic assessment: from an inbox to a committee page."""


def _register() -> None:
    for info in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"{commands.__name__}.{info.name}")
        name = info.name.replace("_", "-")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        elif hasattr(module, "command"):
            app.command(name)(module.command)


_register()


def main() -> None:
    """Run the command line."""
    atexit.register(end_at_once)
    app()
