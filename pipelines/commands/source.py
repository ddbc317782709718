"""`tessera source`: the feeds that are known here, their specs, and drafts of new ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.console import (
    ATTENTION,
    FAILED,
    USAGE,
    JsonOption,
    emit,
    fail,
    given_settings,
    out,
)

if TYPE_CHECKING:
    from pipelines.intake.trial import Trial
    from pipelines.sources.faults import Fault
    from pipelines.sources.guess.draft import Block
    from pipelines.sources.guess.sample import Sample

app = typer.Typer(
    help="The feeds that are known here, whether their specs are in order, and drafts of new ones.",
    epilog="Example: tessera source list",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: tessera source list")
def list_sources(json: JsonOption = False) -> None:
    """List every source: its folder in the inbox, its files, the kinds of record it gives."""
    from rich.table import Table

    from pipelines.sources import catalogue
    from pipelines.sources.faults import SourceError
    from pipelines.sources.interpretation import interpretation_id

    try:
        known = catalogue.load(given_settings())
    except SourceError as error:
        _show(error.faults, as_json=json)
        fail(USAGE, "the specs have faults: mend them and try again")
    table = Table("source", "files in the inbox", "kinds of record", "owner", box=None)
    for spec in known.sources.values():
        files = [f"{spec.inbox_folder}/{glob}" for glob in spec.files]
        if json:
            emit(
                {
                    "source": spec.source,
                    "title": spec.title,
                    "owner": spec.owner,
                    "files": files,
                    "kinds": spec.kinds,
                    "reader": spec.reader.name,
                    "interpretation_id": interpretation_id(spec, known),
                    "path": spec.path,
                }
            )
        else:
            table.add_row(spec.source, "\n".join(files), ", ".join(spec.kinds), spec.owner)
    if not json:
        out.print(table)
        out.print("Drop files into these folders of the inbox, then: tessera run", style="dim")


@app.command("check", epilog="Example: tessera source check site/sources/our_forms.yaml")
def check_sources(
    file: Annotated[
        Path | None,
        typer.Argument(help="One spec; default: all of them, the site's included.", exists=True),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what is wrong with specs and code lists: file, line, field and what to do."""
    from pipelines.sources import catalogue, codes
    from pipelines.sources.faults import SourceError

    settings = given_settings()
    try:
        if file is None:
            found = [spec.source for spec in catalogue.load(settings).sources.values()]
        else:
            found = [catalogue.load_spec(file, codes.load(settings))[0].source]
    except SourceError as error:
        _show(error.faults, as_json=json)
        raise typer.Exit(USAGE) from None
    if json:
        emit({"summary": {"ok": True, "sources": found}})
    elif not found:
        out.print("No specs yet: write one; docs/source-specs.md shows how.")
        raise typer.Exit(ATTENTION)
    else:
        out.print(f"In order: {', '.join(found)}.")


@app.command("new", epilog="Example: tessera source new forms.xlsx --source our_forms")
def new_source(
    file: Annotated[
        Path, typer.Argument(help="An export of the source.", exists=True, dir_okay=False)
    ],
    source: Annotated[
        str | None,
        typer.Option(
            help="The id of the source; default: from the file's name.", show_default=False
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="The kind of record, where it is known.", show_default=False),
    ] = None,
    programme: Annotated[
        str | None, typer.Option(help="The programme of study.", show_default=False)
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write to; default: the site's sources, else here.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Draft the spec of an unknown export, and show what it makes of the first rows.

    Delimiter, encoding, sheets, formats of dates, ids and fields are guessed from headers and
    values. Nothing is stored but the draft, for a person to look through.
    """
    from pipelines.contracts import CONTRACTS
    from pipelines.intake.trial import try_out
    from pipelines.sources import codes
    from pipelines.sources.faults import SourceError, known
    from pipelines.sources.guess import sample as samples
    from pipelines.sources.guess.compose import compose
    from pipelines.sources.guess.draft import draft
    from pipelines.sources.readers import Unreadable

    settings = given_settings()
    if kind is not None and kind not in CONTRACTS:
        fail(USAGE, f"no kind {kind!r}. {known(CONTRACTS, kind)}")
    name = _new_id(source, file)
    target = _new_file(name, into or (settings.site / "sources" if settings.site else Path()))
    try:
        lists = codes.load(settings)
        sample = samples.take(file)
    except SourceError as error:
        _show(error.faults, as_json=json)
        fail(USAGE, "the code lists have faults: mend them and try again")
    except Unreadable as error:
        fail(FAILED, f"{error.message} {error.suggestion}")
    several = len(sample.tables) > 1
    drafted = [draft(table, lists, kind, named=several) for table in sample.tables]
    blocks = [block for block in drafted if block is not None]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(compose(name, file.name, sample, blocks, programme), encoding="utf-8")
    trial = try_out(name, file, sample, blocks, settings)
    missing = [f"{block.kind}.{field}" for block in blocks for field in block.missing]
    missing += [] if programme else ["values.programme_id"]
    if json:
        drawn_up = {"spec": target, "source": name, "missing": missing}
        emit(drawn_up | _draft_as_json(sample, blocks, trial))
    else:
        _show_draft(sample, blocks)
        _show_trial(trial)
        if missing:
            out.print(f"Still needed: {', '.join(missing)}", markup=False, soft_wrap=True)
        out.print(f"Written: {target}", markup=False, soft_wrap=True)
        out.print(
            f"Next: look through it, then: tessera source check {target}",
            markup=False,
            soft_wrap=True,
        )
    if missing or trial.error or trial.n_refused or not blocks:
        raise typer.Exit(ATTENTION)


def _new_id(source: str | None, file: Path) -> str:
    """Return the id that was asked for, or one made of the file's name."""
    name = _source_id(source or file.stem)
    if source is not None and name != source:
        fail(USAGE, f"{source!r} is no id: small letters, digits and _, such as {name}")
    return name


def _new_file(name: str, folder: Path) -> Path:
    target = folder / f"{name}.yaml"
    if target.exists():
        fail(USAGE, f"{target} exists: give another --source, or --into another folder")
    return target


def _source_id(name: str) -> str:
    import re

    from pipelines.sources.text import fold_name

    ascii_only = re.sub(r"[^a-z0-9_]+", "_", fold_name(name)).strip("_")
    return (ascii_only if ascii_only[:1].isalpha() else f"source_{ascii_only}")[:60]


def _draft_as_json(sample: Sample, blocks: list[Block], trial: Trial) -> dict[str, Any]:
    return {
        "reader": {"name": sample.reader, **sample.options},
        "records": [_block_as_json(block) for block in blocks],
        "not_taken": [column for block in blocks for column in block.not_taken],
        "never_taken": {c: r for block in blocks for c, r in block.refused.items()},
        "tried": {
            "ok": trial.n_ok,
            "refused": trial.n_refused,
            "reasons": dict(trial.reasons),
            "error": trial.error,
        },
    }


def _block_as_json(block: Block) -> dict[str, Any]:
    return {
        "kind": block.kind,
        "part": block.part,
        "record_id": block.record_id,
        "wide": block.wide,
        "fields": block.fields,
        "remarks": {name: list(said) for name, said in block.remarks.items()},
    }


def _show_draft(sample: Sample, blocks: list[Block]) -> None:
    from rich.markup import escape
    from rich.table import Table

    facts = ", ".join(f"{key} {value!r}" for key, value in sample.options.items())
    out.print(escape(f"Read as {sample.reader}{': ' if facts else ''}{facts}"), soft_wrap=True)
    by_part = {table.part: table.columns for table in sample.tables}
    first = next(iter(by_part.values()), None)
    for block in blocks:
        columns = by_part.get(block.part, first)
        title = f"{block.part}: {block.kind}" if block.part else block.kind
        table = Table("field", "from", "first rows", "look at", box=None, title=escape(title))
        table.add_row("record_id", escape(block.record_id), "", _remarks(block, "record_id"))
        for name, mapping in block.fields.items():
            column = mapping.get("column")
            shown = "" if columns is None or column is None else _first(columns[column].to_list())
            origin = column or f"always {mapping.get('value')}"
            table.add_row(name, escape(str(origin)), escape(shown), _remarks(block, name))
        out.print(table)
        if block.not_taken:
            out.print(f"Not taken: {', '.join(block.not_taken)}", markup=False, soft_wrap=True)
        for column, reason in block.refused.items():
            out.print(f"Never taken: {column}: {reason}", markup=False, soft_wrap=True)


def _first(values: list[str | None]) -> str:
    return " | ".join(value[:24] for value in dict.fromkeys(values) if value)[:60]


def _remarks(block: Block, name: str) -> str:
    from rich.markup import escape

    return escape("; ".join(block.remarks.get(name, [])))


def _show_trial(trial: Trial) -> None:
    if trial.error:
        out.print(f"Not tried: {trial.error}", markup=False, soft_wrap=True)
        return
    out.print(f"The first rows: {trial.n_ok:,} records good, {trial.n_refused:,} refused")
    for verdict in trial.examples:
        for problem in verdict.problems:
            place = verdict.place or f"row {verdict.row}"
            said = f"    {place}: {problem.message} [{problem.code}]. {problem.suggestion}"
            out.print(said, markup=False, soft_wrap=True)


def _show(faults: list[Fault], *, as_json: bool) -> None:
    for fault in faults:
        if as_json:
            emit(
                {
                    "file": fault.file,
                    "line": fault.line,
                    "field": fault.field,
                    "message": fault.message,
                    "remedy": fault.remedy,
                }
            )
        else:
            place = f"{fault.file}:{fault.line}" if fault.line else f"{fault.file}"
            out.print(f"{place}: {fault.field}: {fault.message}", markup=False, soft_wrap=True)
            out.print(f"    {fault.remedy}", markup=False, soft_wrap=True, style="dim")
