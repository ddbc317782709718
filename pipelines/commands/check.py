"""`tessera check`: the verdict on each record of a file, nothing stored."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipelines.commands.console import (
    ATTENTION,
    FAILED,
    USAGE,
    JsonOption,
    as_line,
    emit,
    fail,
    given_settings,
    out,
)

if TYPE_CHECKING:
    from pipelines.intake.checkers import Check, Verdict, Written

_SHOWN = 50


def command(
    file: Annotated[Path, typer.Argument(help="The file to check.", show_default=False)],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help="A kind of record (the file's columns are its fields), a source "
            "(the file is read by its spec), or a standard: xapi, oneroster, qti, case.",
            show_default=False,
        ),
    ],
    xapi_version: Annotated[
        Literal["1.0.3", "2.0"],
        typer.Option(help="For xAPI statements that name no version."),
    ] = "1.0.3",
    json: JsonOption = False,
) -> None:
    """Say for each record of a file whether it would be accepted, and if not why.

    Nothing is stored. Ends with 1 when a record would be refused, with 3 when the file as a whole
    cannot be read.

    Example: tessera check --kind exam_result results.csv
    Example: tessera check --kind oneroster set.zip
    """
    from pipelines.intake.checkers import UnreadableError

    check = _begun(kind, file, xapi_version)
    n_ok = n_refused = 0
    try:
        for part in _written(check) if json else ():
            n_ok += part.n_ok
            n_refused += part.n_refused
            sys.stdout.write(part.text)
        for verdict in () if json else check.verdicts:
            n_ok += not verdict.problems
            n_refused += bool(verdict.problems)
            if verdict.problems and n_refused <= _SHOWN:
                _print(verdict)
    except UnreadableError as error:
        if not json:
            fail(FAILED, str(error))
        emit(_summary(n_ok, n_refused, check.facts, error=str(error)))
        raise typer.Exit(FAILED) from None
    if json:
        emit(_summary(n_ok, n_refused, check.facts))
    else:
        if n_refused > _SHOWN:
            out.print(f"… and {n_refused - _SHOWN:,} more: use --json to see all")
        out.print(f"{n_ok + n_refused:,} records: {n_ok:,} good, {n_refused:,} would be refused")
    if n_refused:
        raise typer.Exit(ATTENTION)


def _written(check: Check) -> Iterator[Written]:
    """Return the verdicts as machines read them."""
    from pipelines.intake.checkers import Written

    if check.written is not None:
        return check.written
    return (
        Written(not verdict.problems, bool(verdict.problems), as_line(verdict.as_json()))
        for verdict in check.verdicts
    )


def _begun(kind: str, file: Path, xapi_version: str) -> Check:
    from pipelines.intake.checkers import Check, CheckOptions, checker, checkers

    settings = given_settings()
    if (standard := checker(kind)) is not None:
        return standard.check(file, CheckOptions(xapi_version))

    from pipelines.contracts import CONTRACTS
    from pipelines.intake.feeds import load_feeds
    from pipelines.intake.preview import by_contract, by_source
    from pipelines.sources.faults import SourceError

    if kind in CONTRACTS:
        return Check(by_contract(CONTRACTS[kind], file))
    try:
        feeds = load_feeds(settings)
    except SourceError as error:
        fail(USAGE, str(error))
    if kind not in feeds:
        known = (("kinds", [*CONTRACTS]), ("standards", [*checkers()]), ("sources", [*feeds]))
        listed = "; ".join(f"{what}: {', '.join(sorted(names))}" for what, names in known)
        fail(USAGE, f"{kind!r} is no kind of record, standard or source. {listed}")
    return Check(by_source(feeds[kind], settings, file))


def _summary(
    n_ok: int, n_refused: int, facts: dict[str, Any], error: str | None = None
) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "readable": error is None,
        "rows": n_ok + n_refused,
        "ok": n_ok,
        "refused": n_refused,
        **facts,
    }
    return {"summary": summary if error is None else summary | {"error": error}}


def _print(verdict: Verdict) -> None:
    from rich.markup import escape

    place = verdict.place or f"row {verdict.row}"
    place += f", {verdict.cell}" if verdict.cell else ""
    for problem in verdict.problems:
        out.print(escape(f"{place}: {problem.message} [{problem.code}]. {problem.suggestion}"))
