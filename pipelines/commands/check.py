"""`tessera check`: the verdict on each record of a file, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.console import ATTENTION, FAILED, USAGE, JsonOption, emit, fail, out

if TYPE_CHECKING:
    from pipelines.intake.preview import Verdict

_SHOWN = 50


def command(
    file: Annotated[Path, typer.Argument(help="The file to check.", show_default=False)],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help="A kind of record (the file's columns are its fields), a standard (case, "
            "oneroster, qti), or a source (the file is read by its spec).",
            show_default=False,
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Say for each record of a file whether it would be accepted, and if not why.

    Nothing is stored. Ends with 1 when a record would be refused, with 3 when the file as a whole
    cannot be read.

    Example: tessera check --kind exam_result results.csv
    Example: tessera check --kind qti results.xml
    """
    from pipelines.intake.preview import UnreadableError

    verdicts = _verdicts(kind, file)
    n_ok = n_refused = 0
    try:
        for verdict in verdicts:
            n_ok += not verdict.problems
            n_refused += bool(verdict.problems)
            if json:
                emit(verdict.as_json())
            elif verdict.problems and n_refused <= _SHOWN:
                _print(verdict)
    except UnreadableError as error:
        if not json:
            fail(FAILED, str(error))
        emit(_summary(n_ok, n_refused, error=str(error)))
        raise typer.Exit(FAILED) from None
    if json:
        emit(_summary(n_ok, n_refused))
    else:
        if n_refused > _SHOWN:
            out.print(f"… and {n_refused - _SHOWN:,} more: use --json to see all")
        out.print(f"{n_ok + n_refused:,} records: {n_ok:,} good, {n_refused:,} would be refused")
    if n_refused:
        raise typer.Exit(ATTENTION)


def _verdicts(kind: str, file: Path) -> Iterator[Verdict]:
    from pipelines.contracts import CONTRACTS
    from pipelines.intake.feeds import load_feeds
    from pipelines.intake.preview import by_contract, by_source, by_standard
    from pipelines.settings import Settings
    from pipelines.sources.faults import SourceError
    from pipelines.sources.standards import CHECKERS

    if kind in CONTRACTS:
        return by_contract(CONTRACTS[kind], file)
    if kind in CHECKERS:
        return by_standard(kind, file)
    settings = Settings()
    try:
        feeds = load_feeds(settings)
    except SourceError as error:
        fail(USAGE, str(error))
    if kind not in feeds:
        listed = (
            f"kinds: {', '.join(sorted(CONTRACTS))}; standards: {', '.join(sorted(CHECKERS))}; "
            f"sources: {', '.join(sorted(feeds))}"
        )
        fail(USAGE, f"{kind!r} is neither a kind of record, a standard nor a source. {listed}")
    return by_source(feeds[kind], settings, file)


def _summary(n_ok: int, n_refused: int, error: str | None = None) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "readable": error is None,
        "rows": n_ok + n_refused,
        "ok": n_ok,
        "refused": n_refused,
    }
    return {"summary": summary if error is None else summary | {"error": error}}


def _print(verdict: Verdict) -> None:
    from rich.markup import escape

    where = verdict.place or verdict.cell
    place = f"row {verdict.row}" + (f", {where}" if where else "")
    for problem in verdict.problems:
        out.print(escape(f"{place}: {problem.message} [{problem.code}]. {problem.suggestion}"))
