"""`python -m pipelines.embedded_airflow`: prepare it, start it, or run the pipeline once."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from pipelines.commands.console import (
    FAILED,
    USAGE,
    HomeOption,
    err,
    fail,
    home_and_settings,
    out,
)
from pipelines.embedded_airflow.environment import USER, environment, passwords
from pipelines.embedded_airflow.parts import (
    DEFAULT_PORT,
    AirflowError,
    AlreadyRunningError,
    Parts,
    prepare,
    running,
)
from pipelines.embedded_airflow.run_once import Observer, RunError, run_once
from pipelines.home import Home

app = typer.Typer(
    name="python -m pipelines.embedded_airflow",
    help="The Airflow that comes with a home: SQLite, local tasks, bound to this machine.",
    epilog="Example: python -m pipelines.embedded_airflow run-once --home var",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
PortOption = Annotated[
    int, typer.Option("--port", help="Where to listen on 127.0.0.1; another if it is taken.")
]


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Screen:
    """Progress on a terminal: lines that stay, and one that tells what runs now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def line(self, text: str) -> None:
        """Add a line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)

    def now(self, text: str) -> None:
        """Show what is going on at the moment."""
        self._status.update(text)


@app.command("prepare")
def prepare_command(home: HomeOption = None) -> None:
    """Make the database, the pool and the secrets of a home's Airflow.

    Example: python -m pipelines.embedded_airflow prepare --home var
    """
    opened, _ = home_and_settings(home, make=True)
    with _failing_plainly():
        prepare(opened, environment(opened, DEFAULT_PORT))
    out.print(f"Airflow is prepared in {opened.airflow}. Next: make airflow")


@app.command("start")
def start_command(home: HomeOption = None, port: PortOption = DEFAULT_PORT) -> None:
    """Start Airflow and take in what is dropped into the inbox, until Ctrl-C.

    Example: python -m pipelines.embedded_airflow start --home var
    """
    opened, _ = home_and_settings(home, make=True)
    with _failing_plainly(), running(opened, port=port) as parts:
        out.print(
            f"Airflow runs at http://127.0.0.1:{parts.port}: user {USER}, "
            f"password in {passwords(opened)}\n"
            f"Files dropped into {opened.inbox}/<source>/ are taken in as they come. "
            "Ctrl-C ends it.",
            soft_wrap=True,
        )
        while True:
            parts.check()
            time.sleep(1)


@app.command("run-once")
def run_once_command(home: HomeOption = None, port: PortOption = DEFAULT_PORT) -> None:
    """Run the whole pipeline once through Airflow, and say what came of it.

    Example: python -m pipelines.embedded_airflow run-once --home var
    """
    from pipelines.commands.run import summary_table
    from pipelines.runs import exit_code, tally_of

    opened, _ = home_and_settings(home, make=True)
    with _failing_plainly(), Screen(out) as screen, _session(opened, port, screen) as parts:
        observer = Observer(parts.api, screen, parts.check)
        run_id = run_once(observer, parts.since)
    tally = tally_of(opened, run_id)
    out.print(summary_table(opened, run_id, tally))
    raise typer.Exit(exit_code(opened, run_id, tally))


@contextlib.contextmanager
def _session(home: Home, port: int, screen: Screen) -> Iterator[Parts]:
    """Run what one run needs; use the Airflow of this home that runs already, if there is one."""
    began = time.monotonic()
    screen.now("Airflow starts")
    try:
        with running(home, "api-server", "dag-processor", "scheduler", port=port) as parts:
            screen.line(f"Airflow is ready after {time.monotonic() - began:.0f} s")
            yield parts
            screen.now("Airflow ends")
    except AlreadyRunningError as error:
        screen.line(f"{error}: it is used")
        yield Parts(home, error.port)


@contextlib.contextmanager
def _failing_plainly() -> Iterator[None]:
    """Turn what can go wrong into a message and an exit code, and signals into an orderly end."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupt)
    try:
        yield
    except AlreadyRunningError as error:
        fail(USAGE, str(error))
    except (AirflowError, RunError) as error:
        fail(FAILED, str(error))
    except KeyboardInterrupt:
        err.print("Airflow has ended.")
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app()
